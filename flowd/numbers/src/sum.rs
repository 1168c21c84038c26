//! Numbers that add up, so that a series can be folded into another and taken out again.

/// Counts of one series. Adding and subtracting are exact: no floating point.
pub trait Sum: Clone + Default + PartialEq {
    /// Adds every count of `other`.
    fn add(&mut self, other: &Self);

    /// Takes away every count of `other`, which was added before.
    fn subtract(&mut self, other: &Self);

    /// What makes a series heavy; it grows with what is counted.
    fn weight(&self) -> u64;
}

impl Sum for u64 {
    fn add(&mut self, other: &Self) {
        *self = self.wrapping_add(*other);
    }

    fn subtract(&mut self, other: &Self) {
        *self = self.wrapping_sub(*other);
    }

    fn weight(&self) -> u64 {
        *self
    }
}

/// [`Sum`] for a structure whose fields are all `u64`; the weight is the sum of the named fields.
#[macro_export]
macro_rules! sum_of_fields {
    ($name:ty { $($field:ident),+ } by $($weight:ident),+) => {
        impl $crate::Sum for $name {
            fn add(&mut self, other: &Self) {
                $(self.$field = self.$field.wrapping_add(other.$field);)+
            }

            fn subtract(&mut self, other: &Self) {
                $(self.$field = self.$field.wrapping_sub(other.$field);)+
            }

            fn weight(&self) -> u64 {
                0 $(+ self.$weight)+
            }
        }
    };
}
