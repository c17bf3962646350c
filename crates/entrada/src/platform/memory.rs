//! What protocols remember of a machine: one value of a type for each platform.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::runtime;

/// Values by type, made when they are first asked for.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>);

impl Memory {
    /// The value of a type: the same one for all who ask.
    pub(crate) fn of<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let _gate = runtime::fork_gate();
        let mut values = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let value = values.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        // It was put there under its own type.
        Arc::clone(value).downcast().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_who_ask_get_the_same() {
        let memory = Memory::default();
        let one = memory.of::<Mutex<u8>>();
        *one.lock().expect("no panic") = 7;
        assert_eq!(*memory.of::<Mutex<u8>>().lock().expect("no panic"), 7);
        assert_eq!(*memory.of::<Mutex<u16>>().lock().expect("no panic"), 0);
    }
}
