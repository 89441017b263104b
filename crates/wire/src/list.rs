//! Lists inside a message, read lazily: a count in front costs nothing until items are asked for.

use std::{fmt, marker::PhantomData};

use crate::{
    codec::{DecodeError, Put, Reader},
    field::{Field, Shown},
};

/// What a [`List`] can hold, and how much of it.
pub trait ListItem<'a>: Field<'a> {
    /// Items, in the words of an error.
    const WHAT: &'static str;
    /// The most that is accepted.
    const LIMIT: usize;
}

/// A `uint32` count and that many items, checked when decoded and still in their encoded form.
pub struct List<'a, T> {
    count: u32,
    items: &'a [u8],
    of: PhantomData<T>,
}

impl<'a, T: ListItem<'a>> List<'a, T> {
    /// A list without items.
    pub const EMPTY: Self = Self { count: 0, items: &[], of: PhantomData };

    /// Encodes `items` into `buffer`, which is emptied first, and lends the result.
    ///
    /// # Errors
    /// [`DecodeError::TooMany`] beyond the limit that a receiver applies.
    pub fn new(items: impl IntoIterator<Item = T>, buffer: &'a mut Vec<u8>) -> Result<Self, DecodeError> {
        buffer.clear();
        let mut count = 0;
        for item in items {
            count += 1;
            Self::check_count(count)?;
            item.put(buffer);
        }
        Ok(Self { count, items: buffer, of: PhantomData })
    }

    /// The items, in order.
    pub fn iter(&self) -> impl Iterator<Item = T> + use<'a, T> {
        let mut reader = Reader::new(self.items);
        // `take` has succeeded on these bytes before, so the list does not end early.
        (0..self.count).map_while(move |_| T::take(&mut reader).ok())
    }

    /// How many items there are.
    pub fn len(&self) -> usize {
        // `check_count` has compared it with a `usize`.
        self.count as usize
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    pub(crate) fn check_count(count: u32) -> Result<(), DecodeError> {
        match usize::try_from(count) {
            Ok(count) if count <= T::LIMIT => Ok(()),
            _ => Err(DecodeError::TooMany { what: T::WHAT, limit: T::LIMIT }),
        }
    }
}

impl<'a, T: ListItem<'a>> Field<'a> for List<'a, T> {
    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let count = reader.u32()?;
        Self::check_count(count)?;
        let mut ahead = reader.clone();
        for _ in 0..count {
            T::take(&mut ahead)?;
        }
        let items = reader.bytes(reader.remaining() - ahead.remaining())?;
        Ok(Self { count, items, of: PhantomData })
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.put_u32(self.count);
        out.put_bytes(self.items);
    }

    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        for item in self.iter() {
            list.entry(&Shown(&item));
        }
        list.finish()
    }
}

impl<'a, T: ListItem<'a>> fmt::Debug for List<'a, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f)
    }
}

impl<T> Clone for List<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for List<'_, T> {}

impl<T> PartialEq for List<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.count == other.count && self.items == other.items
    }
}

impl<T> Eq for List<'_, T> {}
