//! Values of members whose type is only known when the program runs.

use std::fmt;

use zeroize::Zeroize;

use crate::Error;
use crate::model::{Initial, Platform, Type, Value};

/// A value of one of the interface's types.
#[derive(Clone, PartialEq, Eq)]
pub enum Variant {
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Unicode text.
    Text(String),
    /// Any bytes.
    Bytes(Vec<u8>),
}

impl Variant {
    /// Its type.
    pub fn value_type(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Text(_) => Type::Text,
            Self::Bytes(_) => Type::Bytes,
        }
    }

    /// What a member is when nobody has set it.
    pub(crate) fn initial(of: &Value) -> Self {
        match *of {
            Value::Bool(initial) => Self::Bool(here(initial).unwrap_or(false)),
            Value::Int(initial, _) => Self::Int(here(initial).unwrap_or(0)),
            Value::Text(initial) | Value::Word(initial, _) => {
                Self::Text(here(initial).unwrap_or_default().to_owned())
            }
            Value::Bytes(initial) => Self::Bytes(here(initial).unwrap_or_default().as_bytes().to_vec()),
            Value::List(words) => Self::Text(here(words.default).unwrap_or_default().join(",")),
            Value::Lines(_) => Self::Text(String::new()),
        }
    }

    /// Reads what was written into a setting.
    ///
    /// # Errors
    /// It is no value of that type.
    pub(crate) fn parse(text: &str, as_type: Type) -> Result<Self, Error> {
        match as_type {
            Type::Bool => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" => Ok(Self::Bool(true)),
                "false" | "0" | "no" => Ok(Self::Bool(false)),
                _ => Err(Error::invalid(format!("`{text}` is neither True nor False."))),
            },
            Type::Int => {
                let number =
                    text.trim().parse().map_err(|_| Error::invalid(format!("`{text}` is no whole number.")));
                number.map(Self::Int)
            }
            Type::Text => Ok(Self::Text(text.to_owned())),
            Type::Bytes => Ok(Self::Bytes(text.as_bytes().to_vec())),
        }
    }

    /// As a number, where it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(value) = self { Some(*value) } else { None }
    }

    /// As true or false, where it is that.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// As text, where it is text.
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(value) = self { Some(value) } else { None }
    }

    /// As bytes, where it is bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        if let Self::Bytes(value) = self { Some(value) } else { None }
    }
}

/// The default on this platform.
fn here<T: Copy>(initial: Initial<T>) -> Option<T> {
    match initial {
        Initial::NotStated => None,
        Initial::Is(value) => Some(value),
        Initial::PerPlatform(values) => {
            let this = if cfg!(windows) {
                Platform::Windows
            } else if cfg!(target_os = "macos") {
                Platform::MacOs
            } else {
                Platform::Linux
            };
            values.iter().find(|(platform, _)| *platform == this).map(|(_, value)| *value)
        }
    }
}

/// As a setting shows it. Bytes are shown as text, as far as they are that.
impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(value) => value.fmt(f),
            Self::Text(value) => f.write_str(value),
            Self::Bytes(value) => f.write_str(&String::from_utf8_lossy(value)),
        }
    }
}

/// Text and bytes stay out: they may be secret.
impl fmt::Debug for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Text(value) => write!(f, "text of {} bytes", value.len()),
            Self::Bytes(value) => write!(f, "{} bytes", value.len()),
        }
    }
}

impl Zeroize for Variant {
    fn zeroize(&mut self) {
        match self {
            Self::Text(value) => value.zeroize(),
            Self::Bytes(value) => value.zeroize(),
            Self::Bool(_) | Self::Int(_) => {}
        }
    }
}

/// The types of Rust that stand for the interface's.
pub(crate) trait Convert: Sized {
    /// As a value of a type that is not known before.
    fn into_variant(self) -> Variant;

    /// Back, where the type is this one.
    fn from_variant(value: Variant) -> Option<Self>;
}

macro_rules! convert {
    ($($rust:ty => $variant:ident),+) => {
        $(impl Convert for $rust {
            fn into_variant(self) -> Variant {
                Variant::$variant(self)
            }

            fn from_variant(value: Variant) -> Option<Self> {
                if let Variant::$variant(value) = value { Some(value) } else { None }
            }
        })+

        $(impl From<$rust> for Variant {
            fn from(value: $rust) -> Self {
                value.into_variant()
            }
        })+
    };
}

convert!(bool => Bool, i64 => Int, String => Text, Vec<u8> => Bytes);

impl From<&str> for Variant {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<&[u8]> for Variant {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_written_in_several_ways() {
        for (text, value) in
            [("True", true), ("YES", true), (" 1 ", true), ("false", false), ("No", false), ("0", false)]
        {
            assert_eq!(Variant::parse(text, Type::Bool).unwrap(), Variant::Bool(value), "{text}");
        }
        let error = Variant::parse("2", Type::Bool).unwrap_err();
        assert!(error.code() == 10022 && error.message().contains("`2`"), "{error}");
    }

    #[test]
    fn numbers_are_decimal() {
        assert_eq!(Variant::parse("-1", Type::Int).unwrap(), Variant::Int(-1));
        assert!(Variant::parse("0x10", Type::Int).is_err());
    }

    #[test]
    fn a_secret_does_not_show_in_debug_text() {
        assert_eq!(format!("{:?}", Variant::from("secret")), "text of 6 bytes");
    }
}
