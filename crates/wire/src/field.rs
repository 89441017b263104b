//! From the definition of a message as a list of fields to its struct, decoder and encoder.

use std::fmt;

use crate::codec::{DecodeError, Mpint, NameList, Put, Reader, Sensitive};

/// A type that stands for one field of a message.
pub trait Field<'a>: Sized {
    /// Takes the field off the front of `reader`.
    fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError>;

    /// Appends the field.
    fn put(&self, out: &mut Vec<u8>);

    /// Shows the field in a message's `Debug` output.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// Defines messages. Each becomes a `Copy` struct with `decode` (of what follows the number), [`Encode`]
/// and a `Debug` that shows byte strings by their length only, since they may hold anything.
///
/// `field: Type as codec` is read and written by a module of this file in place of [`Field`].
///
/// [`Encode`]: crate::Encode
macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident $(<$lifetime:lifetime>)? = $number:ident $({ $($fields:tt)* })?)*) => {
        $($crate::field::message! { $(#[$doc])* $name [$($lifetime)?] $number $({ $($fields)* })? })*
    };
}

macro_rules! message {
    ($(#[$doc:meta])* $name:ident [] $number:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name;

        impl $name {
            /// Decodes what follows the message number: nothing.
            pub fn decode(_: &mut $crate::Reader<'_>) -> Result<Self, $crate::DecodeError> {
                Ok(Self)
            }
        }

        impl $crate::Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                $crate::Put::put_u8(out, $crate::Number::$number.0);
            }
        }
    };
    ($(#[$doc:meta])* $name:ident [$($lifetime:lifetime)?] $number:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty $(as $codec:ident)?,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name $(<$lifetime>)? {
            $($(#[$field_doc])* pub $field: $type,)+
        }

        impl $(<$lifetime>)? $name $(<$lifetime>)? {
            /// Decodes what follows the message number, up to the last field.
            pub fn decode(
                reader: &mut $crate::field::reader!($($lifetime)?),
            ) -> Result<Self, $crate::DecodeError> {
                Ok(Self { $($field: $crate::field::codec!(take $($codec)?)(reader)?,)+ })
            }
        }

        impl $(<$lifetime>)? $crate::Encode for $name $(<$lifetime>)? {
            fn encode(&self, out: &mut Vec<u8>) {
                $crate::Put::put_u8(out, $crate::Number::$number.0);
                $($crate::field::codec!(put $($codec)?)(&self.$field, out);)+
            }
        }

        impl $(<$lifetime>)? ::std::fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &$crate::field::Shown(&self.$field)))+
                    .finish()
            }
        }
    };
}

macro_rules! reader {
    () => { $crate::Reader<'_> };
    ($lifetime:lifetime) => { $crate::Reader<$lifetime> };
}

macro_rules! codec {
    ($function:ident) => {
        $crate::Field::$function
    };
    ($function:ident $codec:ident) => {
        $crate::field::$codec::$function
    };
}

/// Defines a `uint32` with named values: a newtype with constants, shown by name.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($value:literal $constant:ident = $text:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub struct $name(pub u32);

        impl $name {
            $(#[doc = concat!($text, ".")] pub const $constant: Self = Self($value);)+
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                match self.0 {
                    $($value => f.write_str($text),)+
                    other => write!(f, "reason {other}"),
                }
            }
        }

        impl<'a> $crate::Field<'a> for $name {
            fn take(reader: &mut $crate::Reader<'a>) -> Result<Self, $crate::DecodeError> {
                reader.u32().map(Self)
            }

            fn put(&self, out: &mut Vec<u8>) {
                $crate::Put::put_u32(out, self.0);
            }

            fn show(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{} ({self})", self.0)
            }
        }
    };
}

pub(crate) use {codec, codes, message, messages, reader};

/// A field as a message's `Debug` shows it.
pub(crate) struct Shown<'f, T>(pub(crate) &'f T);

impl<'a, T: Field<'a>> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

/// Bytes up to the end of the message, without a length.
pub(crate) mod rest {
    use super::{DecodeError, Put, Reader};

    pub(crate) fn take<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
        Ok(reader.rest())
    }

    pub(crate) fn put(bytes: &[u8], out: &mut Vec<u8>) {
        out.put_bytes(bytes);
    }
}

/// A last `string` that some implementations leave out; read as empty, always written.
pub(crate) mod optional {
    use super::{DecodeError, Put, Reader};

    pub(crate) fn take<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], DecodeError> {
        if reader.is_empty() { Ok(&[]) } else { reader.string() }
    }

    pub(crate) fn put(bytes: &[u8], out: &mut Vec<u8>) {
        out.put_string(bytes);
    }
}

/// Implements [`Field`] with a reader method, a writer call and a `Debug` value.
macro_rules! fields {
    ($($(#[$doc:meta])* $type:ty: $take:ident, |$value:ident, $out:ident| $put:expr, $show:expr;)*) => {
        $($(#[$doc])* impl<'a> Field<'a> for $type {
            fn take(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
                reader.$take().map(Into::into)
            }

            fn put(&self, $out: &mut Vec<u8>) {
                let $value = self;
                $put;
            }

            fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $value = self;
                fmt::Debug::fmt(&$show, f)
            }
        })*
    };
}

fields! {
    u8: u8, |value, out| out.put_u8(*value), value;
    bool: bool, |value, out| out.put_bool(*value), value;
    u32: u32, |value, out| out.put_u32(*value), value;
    [u8; 16]: array, |value, out| out.put_bytes(value), format_args!("{} bytes", value.len());
    &'a [u8]: string, |value, out| out.put_string(value), format_args!("{} bytes", value.len());
    &'a str: text, |value, out| out.put_text(value), value;
    NameList<'a>: name_list, |value, out| out.put_text(value.as_str()), value.as_str();
    Mpint<'a>: mpint, |value, out| out.put_mpint(value.as_bytes()), value;
    Sensitive<'a>: string, |value, out| out.put_string(value.0), value;
}
