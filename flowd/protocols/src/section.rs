//! A protocol's own keys: what its table in the configuration may hold beside what all tables have in common.

use std::{any::Any, fmt::Debug, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

/// The keys of one protocol, each with a default.
pub trait Keys: Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Checks every value against its limits.
    ///
    /// # Errors
    /// Names the first key whose value cannot be used, and the remedy.
    fn validate(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Without the table's name.
    pub key: &'static str,
    /// As the configuration has it.
    pub value: String,
    /// What to write instead.
    pub remedy: String,
}

/// The keys of some protocol.
pub trait Section: Any + Debug + Send + Sync + erased_serde::Serialize {
    /// As [`Keys::validate`].
    ///
    /// # Errors
    /// As [`Keys::validate`].
    fn check(&self) -> Result<(), Invalid>;

    /// Whether `other` is of the same protocol and has the same values.
    fn is_same(&self, other: &dyn Section) -> bool;
}

erased_serde::serialize_trait_object!(Section);

impl<T: Keys> Section for T {
    fn check(&self) -> Result<(), Invalid> {
        self.validate()
    }

    fn is_same(&self, other: &dyn Section) -> bool {
        other.get() == Some(self)
    }
}

impl dyn Section {
    /// The keys as what they are, where they are a `T`.
    #[must_use]
    pub fn get<T: Keys>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }
}

/// How the keys of a protocol come about.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Every key with its default.
    pub defaults: fn() -> Arc<dyn Section>,
    /// What a table says; keys that it lacks have their default.
    pub read: fn(&mut dyn erased_serde::Deserializer<'_>) -> erased_serde::Result<Arc<dyn Section>>,
}

impl Schema {
    /// That of a `T`, whose `Deserialize` takes a table that lacks keys (`#[serde(default)]`).
    #[must_use]
    pub const fn of<T: Keys>() -> Self {
        Self {
            defaults: || Arc::new(T::default()),
            read: |table| Ok(Arc::new(erased_serde::deserialize::<T>(table)?)),
        }
    }
}

/// No key of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoKeys {}

impl Keys for NoKeys {}
