//! What a row says. A value and its default are one thing, so that no number can be the default of a text.

mod member;
mod value;
mod vocabulary;

pub use member::{
    Deviation, Direction, Effect, ErrorRow, Event, Field, Method, Param, Property, Refusal, Scope, Setting,
    Support, SupportRow,
};
pub use value::{Choice, Initial, Literal, Number, Type, Unit, Value, WordChoice, Words};
pub use vocabulary::{
    Access, Code, CodePage, Encoding, ErrorGroup, Group, Holds, Index, PacketField, Platform, Platforms,
    Refused, StoreType, SubjectField, WireType,
};
