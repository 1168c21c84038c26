//! Statements that a client prepares once and names from then on.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

/// Statements of one connection at most, and bytes of their texts.
const MOST: usize = 1_024;
const MOST_TEXT: usize = 128 << 10;

/// What a statement asks for, and how it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Meaning {
    pub(crate) operation: Cow<'static, str>,
    pub(crate) statement: Option<String>,
}

impl Meaning {
    fn len(&self) -> usize {
        self.operation.len() + self.statement.as_ref().map_or(0, String::len)
    }
}

/// What the names of one connection stand for; the oldest goes where there are too many.
#[derive(Debug)]
pub(crate) struct Prepared<K> {
    /// In the order in which they were prepared.
    names: VecDeque<(K, Arc<Meaning>)>,
    text: usize,
}

impl<K> Default for Prepared<K> {
    fn default() -> Self {
        Self { names: VecDeque::new(), text: 0 }
    }
}

impl<K: PartialEq> Prepared<K> {
    /// `name` stands for this from now on.
    pub(crate) fn insert(&mut self, name: K, meaning: Arc<Meaning>) {
        self.remove(&name);
        self.text += meaning.len();
        self.names.push_back((name, meaning));
        while self.names.len() > MOST || self.text > MOST_TEXT {
            let Some((_, oldest)) = self.names.pop_front() else { break };
            self.text -= oldest.len();
        }
    }

    /// `name` stands for nothing from now on.
    pub(crate) fn remove(&mut self, name: &K) {
        if let Some((_, meaning)) = self.at(name).and_then(|at| self.names.remove(at)) {
            self.text -= meaning.len();
        }
    }

    pub(crate) fn get(&self, name: &K) -> Option<&Arc<Meaning>> {
        self.at(name).and_then(|at| self.names.get(at)).map(|(_, meaning)| meaning)
    }

    /// Names stand for the same, but their texts are no longer shown.
    pub(crate) fn hide_texts(&mut self) {
        for (_, meaning) in &mut self.names {
            let before = meaning.len();
            Arc::make_mut(meaning).statement = None;
            self.text = self.text - before + meaning.len();
        }
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The last ones are used most.
    fn at(&self, name: &K) -> Option<usize> {
        self.names.iter().rposition(|(known, _)| known == name)
    }

    /// Bytes beside its own place.
    pub(crate) fn weight(&self) -> usize {
        self.names.capacity() * (size_of::<(K, Arc<Meaning>)>() + size_of::<Meaning>()) + self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meaning(len: usize) -> Arc<Meaning> {
        Arc::new(Meaning { operation: "SELECT".into(), statement: Some("x".repeat(len)) })
    }

    #[test]
    fn the_oldest_goes() {
        let mut prepared = Prepared::default();
        for name in 0..2 * MOST {
            prepared.insert(name, meaning(1));
        }
        assert!(prepared.get(&(MOST - 1)).is_none() && prepared.get(&MOST).is_some());
        for name in 0..10 {
            prepared.insert(name, meaning(MOST_TEXT / 4));
        }
        assert!(prepared.get(&6).is_none() && prepared.get(&7).is_some());
        assert!(prepared.weight() < 2 * MOST_TEXT);
        prepared.remove(&7);
        assert!(prepared.get(&7).is_none());
        prepared.clear();
        assert_eq!(prepared.weight(), 0);
    }
}
