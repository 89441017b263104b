//! Values: their types, their defaults, and what they may be.

use std::fmt;

use super::vocabulary::Platform;

/// A type of the interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// Unicode text.
    Text,
    /// Any bytes.
    Bytes,
}

/// What a member is when nobody has set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initial<T: 'static> {
    /// The interface does not say.
    NotStated,
    /// This value.
    Is(T),
    /// A value for each of some platforms.
    PerPlatform(&'static [(Platform, T)]),
}

/// A value with its type, its default, and what it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// True or false.
    Bool(Initial<bool>),
    /// A whole number.
    Int(Initial<i64>, Number),
    /// Text of any content.
    Text(Initial<&'static str>),
    /// Any bytes; the defaults are ASCII.
    Bytes(Initial<&'static str>),
    /// One of some words.
    Word(Initial<&'static str>, &'static [WordChoice]),
    /// Words separated by commas, in order of preference.
    List(Words),
    /// Lines of text, each with a label.
    Lines(&'static [&'static str]),
}

/// Which numbers are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    /// Any, as far as the interface says.
    Any,
    /// Any, in this unit.
    In(Unit),
    /// Those between the two, inclusive; `None` is open.
    Between(Option<i64>, Option<i64>),
    /// Those between the two, inclusive, in this unit; `None` is open.
    BetweenIn(Option<i64>, Option<i64>, Unit),
    /// These.
    OneOf(&'static [Choice]),
}

/// What a number counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Bits,
    Bytes,
    BytesPerSecond,
    Milliseconds,
    Seconds,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bits => "bits",
            Self::Bytes => "bytes",
            Self::BytesPerSecond => "bytes a second",
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
        })
    }
}

/// A number with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// The number.
    pub number: i64,
    /// Its name, empty where it has none.
    pub token: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// A word with a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordChoice {
    /// The word.
    pub word: &'static str,
    /// What it means.
    pub doc: &'static str,
}

/// A list of names of algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// Every name that the interface knows, in its order.
    pub supported: &'static [&'static str],
    /// The list unless another one is set.
    pub default: Initial<&'static [&'static str]>,
}

/// A value that an assignment reacts to, or makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Literal {
    Bool(bool),
    Int(i64),
}

impl Value {
    /// The type.
    pub fn value_type(&self) -> Type {
        match self {
            Self::Bool(_) => Type::Bool,
            Self::Int(..) => Type::Int,
            Self::Text(_) | Self::Word(..) | Self::List(_) | Self::Lines(_) => Type::Text,
            Self::Bytes(_) => Type::Bytes,
        }
    }

    /// The numbers it may be, if it is one of few.
    pub fn choices(&self) -> &'static [Choice] {
        match *self {
            Self::Int(_, Number::OneOf(choices)) => choices,
            _ => &[],
        }
    }

    /// What a number counts.
    pub fn unit(&self) -> Option<Unit> {
        match *self {
            Self::Int(_, Number::In(unit) | Number::BetweenIn(_, _, unit)) => Some(unit),
            _ => None,
        }
    }

    /// The least and the greatest number, where one of the two is stated.
    pub fn range(&self) -> Option<(Option<i64>, Option<i64>)> {
        match *self {
            Self::Int(_, Number::Between(low, high) | Number::BetweenIn(low, high, _)) => Some((low, high)),
            _ => None,
        }
    }
}

/// The default, as one writes it into a setting; empty where there is none.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(initial) => write_initial(f, initial, |value| title_case(*value).to_owned()),
            Self::Int(initial, _) => write_initial(f, initial, i64::to_string),
            Self::Text(initial) | Self::Bytes(initial) | Self::Word(initial, _) => {
                write_initial(f, initial, |text| (*text).to_owned())
            }
            Self::List(words) => write_initial(f, &words.default, |list| list.join(",")),
            Self::Lines(_) => Ok(()),
        }
    }
}

fn title_case(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn write_initial<T>(
    f: &mut fmt::Formatter<'_>,
    initial: &Initial<T>,
    text: impl Fn(&T) -> String,
) -> fmt::Result {
    match initial {
        Initial::NotStated => Ok(()),
        Initial::Is(value) => f.write_str(&text(value)),
        Initial::PerPlatform(values) => {
            let each: Vec<_> = values.iter().map(|(on, value)| format!("{} on {on}", text(value))).collect();
            f.write_str(&each.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_written_as_in_a_setting() {
        let list = Words { supported: &[], default: Initial::Is(&["none", "zlib"]) };
        for (value, text) in [
            (Value::Bool(Initial::Is(true)), "True"),
            (Value::Int(Initial::Is(22), Number::Any), "22"),
            (Value::List(list), "none,zlib"),
            (Value::Text(Initial::NotStated), ""),
            (
                Value::Bool(Initial::PerPlatform(&[(Platform::Windows, false), (Platform::Linux, true)])),
                "False on Windows, True on Linux",
            ),
        ] {
            assert_eq!(value.to_string(), text);
        }
    }
}
