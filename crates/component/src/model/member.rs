//! Rows of the members.

use super::value::{Choice, Literal, Type, Value, WordChoice};
use super::vocabulary::{Access, Code, ErrorGroup, Group, Index, Platforms, Refused};

/// Whose property it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The component's.
    Component,
    /// That of each client. The accessors take the client first, and refuse one that is not there with code 126.
    Client,
}

/// A property.
#[derive(Debug, Clone, Copy)]
pub struct Property {
    /// Its name, in snake case.
    pub name: &'static str,
    /// Whose it is.
    pub scope: Scope,
    /// Type, default, and what it may be.
    pub value: Value,
    /// Whether it can be read and set.
    pub access: Access,
    /// When it is refused.
    pub refusals: &'static [Refusal],
    /// What else changes with it.
    pub effects: &'static [Effect],
    /// What it is for.
    pub doc: &'static str,
}

/// When a member refuses, or has a connection refused, and with which error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Refusal {
    pub when: Refused,
    pub code: Code,
}

/// What an assignment changes besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effect {
    /// The value assigned, `None` for any.
    pub on: Option<Literal>,
    /// The member that changes.
    pub member: &'static str,
    /// What it becomes.
    pub becomes: Literal,
}

/// A method.
#[derive(Debug, Clone, Copy)]
pub struct Method {
    /// Its name, in snake case.
    pub name: &'static str,
    /// What it takes.
    pub params: &'static [Param],
    /// What it gives.
    pub returns: Option<Type>,
    /// When it is refused.
    pub refusals: &'static [Refusal],
    /// What it does.
    pub doc: &'static str,
}

/// A parameter of a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub value_type: Type,
}

/// An event.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Its name, in snake case.
    pub name: &'static str,
    /// What the handler is told, and may answer.
    pub fields: &'static [Field],
    /// When it happens.
    pub doc: &'static str,
}

/// A field of an event.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub value_type: Type,
    /// Whether the handler may set it.
    pub direction: Direction,
    /// The numbers it may be, if it is one of few.
    pub numbers: &'static [Choice],
    /// The words it may be, if it is one of few.
    pub words: &'static [WordChoice],
    /// What it tells.
    pub doc: &'static str,
}

/// Which way a field of an event goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To the handler.
    In,
    /// To the handler, and its answer back.
    InOut,
}

/// A setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// The heading it stands under.
    pub group: Group,
    /// Its name, in its proper spelling.
    pub name: &'static str,
    /// What its name takes in brackets.
    pub index: Option<Index>,
    /// Type, default, and what it may be.
    pub value: Value,
    /// Whether it can be read and set, or does something.
    pub access: Access,
    /// Where it has an effect.
    pub platforms: Platforms,
    /// The property that it is another name of.
    pub mirrors: Option<&'static str>,
    /// When it is refused.
    pub refusals: &'static [Refusal],
    /// What else changes with it.
    pub effects: &'static [Effect],
    /// What it is for.
    pub doc: &'static str,
}

/// One text of an error code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorRow {
    /// The heading it stands under.
    pub group: ErrorGroup,
    /// The code.
    pub code: Code,
    /// The text, to the letter: programs compare it.
    pub text: &'static str,
}

/// Where a default is another one than the interface's, on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deviation {
    /// The property or setting.
    pub member: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// How far a member does what the interface says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Support {
    /// It does.
    Effective,
    /// On some platforms.
    PlatformBound,
    /// It does what comes nearest.
    Reinterpreted,
}

/// A member that does something else than the interface says, or not everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SupportRow {
    /// The property or setting.
    pub member: &'static str,
    /// How far it does.
    pub support: Support,
    /// What it does instead.
    pub note: &'static str,
}
