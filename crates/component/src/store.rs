//! The values of members, as far as somebody has set them.

use std::collections::BTreeMap;
use std::time::Duration;

use zeroize::Zeroize as _;

use crate::lookup::Found;
use crate::model::{Access, Effect, Literal, Number, Refusal, Refused, Type, Value, Words};
use crate::{Error, Variant};

/// A member that can be set: a property, or a setting, with its number where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) index: Option<i32>,
    pub(crate) value: Value,
    pub(crate) access: Access,
    refusals: &'static [Refusal],
    effects: [&'static [Effect]; 2],
}

impl Member {
    /// The property of this name.
    pub(crate) fn property(name: &str) -> Option<Self> {
        let row = crate::property(name)?;
        Some(Self {
            name: row.name,
            index: None,
            value: row.value,
            access: row.access,
            refusals: row.refusals,
            effects: [row.effects, &[]],
        })
    }

    /// The setting at this address, or the property that it is another name of. One name in two groups is one value: it
    /// governs each socket in the sense of its group.
    pub(crate) fn setting(address: &str) -> Result<Self, Error> {
        let Found { rows, index } =
            crate::setting(address).map_err(|error| Error::invalid(sentence(error)))?;
        let row = rows[0];
        if let Some(property) = row.mirrors.and_then(Self::property) {
            return Ok(property);
        }
        let effects = [row.effects, rows.get(1).map_or(&[][..], |row| row.effects)];
        Ok(Self {
            name: row.name,
            index,
            value: row.value,
            access: row.access,
            refusals: row.refusals,
            effects,
        })
    }

    /// What it answers if it may not be set now.
    pub(crate) fn refuses(&self, when: Refused) -> Option<u16> {
        self.refusals.iter().find(|refusal| refusal.when == when).map(|refusal| refusal.code)
    }

    /// Whether a value is good for it.
    ///
    /// # Errors
    /// It is not.
    pub(crate) fn check(&self, value: &Variant) -> Result<(), Error> {
        let name = self.name;
        if value.value_type() != self.value.value_type() {
            return Err(Error::invalid(format!("{name} is {}.", a(self.value.value_type()))));
        }
        match (&self.value, value) {
            (Value::Int(_, number), Variant::Int(value)) => self.check_number(*number, *value),
            (Value::Word(_, words), Variant::Text(value)) => {
                let known = words.iter().any(|choice| choice.word.eq_ignore_ascii_case(value));
                let all = || words.iter().map(|choice| choice.word).collect::<Vec<_>>().join(", ");
                if known { Ok(()) } else { Err(Error::invalid(format!("{name} is one of {}.", all()))) }
            }
            (Value::List(words), Variant::Text(value)) => check_list(name, words, value),
            _ => Ok(()),
        }
    }

    fn check_number(&self, number: Number, value: i64) -> Result<(), Error> {
        let name = self.name;
        let problem = match number {
            Number::OneOf(choices) if choices.iter().all(|choice| choice.number != value) => {
                let all: Vec<_> = choices.iter().map(|choice| choice.number.to_string()).collect();
                format!("{name} is one of {}.", all.join(", "))
            }
            Number::Between(least, most) | Number::BetweenIn(least, most, _)
                if least.is_some_and(|least| value < least) || most.is_some_and(|most| value > most) =>
            {
                match (least, most) {
                    (Some(least), Some(most)) => format!("{name} is from {least} to {most}."),
                    (Some(least), None) => format!("{name} is at least {least}."),
                    (_, most) => format!("{name} is at most {}.", most.unwrap_or_default()),
                }
            }
            _ => return Ok(()),
        };
        let code = self.refuses(Refused::BadValue);
        Err(code.map_or_else(|| Error::invalid(&problem), |code| Error::new(code).because(&problem)))
    }
}

/// A list without a name that we know is of no use; unknown ones among known are passed over.
fn check_list(name: &str, words: &Words, list: &str) -> Result<(), Error> {
    let known = list.split(',').any(|word| words.supported.contains(&word.trim()));
    if known {
        return Ok(());
    }
    let problem = format!("None of `{list}` is known to {name}; it takes {}.", words.supported.join(", "));
    Err(Error::new(1005).because(problem))
}

fn a(value_type: Type) -> &'static str {
    match value_type {
        Type::Bool => "true or false",
        Type::Int => "a whole number",
        Type::Text => "text",
        Type::Bytes => "bytes",
    }
}

pub(crate) fn sentence(problem: impl std::fmt::Display) -> String {
    let problem = problem.to_string();
    let mut letters = problem.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

/// What was set. Dropped, it is wiped: passwords are among it.
#[derive(Default)]
pub(crate) struct Store {
    values: BTreeMap<(&'static str, Option<i32>), Variant>,
}

impl Store {
    /// What was set, or else the default.
    pub(crate) fn get(&self, member: &Member) -> Variant {
        self.values
            .get(&(member.name, member.index))
            .cloned()
            .unwrap_or_else(|| Variant::initial(&member.value))
    }

    /// Sets a value that was checked, and what changes with it.
    pub(crate) fn set(&mut self, member: &Member, value: Variant) {
        for effect in member.effects.into_iter().flatten() {
            let applies = match (effect.on, &value) {
                (None, _) => true,
                (Some(Literal::Bool(on)), Variant::Bool(value)) => on == *value,
                (Some(Literal::Int(on)), Variant::Int(value)) => on == *value,
                _ => false,
            };
            if applies && let Some(other) = named(effect.member) {
                let becomes = match effect.becomes {
                    Literal::Bool(value) => Variant::Bool(value),
                    Literal::Int(value) => Variant::Int(value),
                };
                self.put(other.name, None, becomes);
            }
        }
        self.put(member.name, member.index, value);
    }

    fn put(&mut self, name: &'static str, index: Option<i32>, value: Variant) {
        if let Some(mut old) = self.values.insert((name, index), value) {
            old.zeroize();
        }
    }

    /// Whether somebody has set it.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        named(name).is_some_and(|member| self.values.contains_key(&(member.name, None)))
    }

    /// Forgets what was set for connections that are gone.
    pub(crate) fn forget(&mut self, index: i32) {
        self.values.retain(|(_, of), _| *of != Some(index));
    }

    pub(crate) fn clear(&mut self) {
        self.values.values_mut().for_each(Variant::zeroize);
        self.values.clear();
    }

    /// The value of a member by its name in the tables.
    pub(crate) fn value(&self, name: &str) -> Variant {
        named(name).map_or(Variant::Bool(false), |member| self.get(&member))
    }

    /// The value of a member that is text.
    pub(crate) fn text(&self, name: &str) -> String {
        if let Variant::Text(text) = self.value(name) { text } else { String::new() }
    }

    /// The value of a member that is true or false.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.value(name).as_bool().unwrap_or(false)
    }

    /// The value of a member that is true or false and was set.
    pub(crate) fn flag_if_set(&self, name: &str) -> Option<bool> {
        self.is_set(name).then(|| self.flag(name))
    }

    /// The value of a member that is a number.
    pub(crate) fn number(&self, name: &str) -> i64 {
        self.value(name).as_int().unwrap_or(0)
    }

    /// The value of a member that is a number and was set.
    pub(crate) fn number_if_set(&self, name: &str) -> Option<i64> {
        self.is_set(name).then(|| self.number(name))
    }

    /// The value of a member that is a time in seconds; `None` where it is none.
    pub(crate) fn seconds(&self, name: &str) -> Option<Duration> {
        seconds(self.number(name))
    }

    /// The value of a member that is bytes.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        if let Variant::Bytes(bytes) = self.value(name) { bytes } else { Vec::new() }
    }

    /// The value of a setting of one connection or channel.
    pub(crate) fn of_index(&self, name: &str, index: i32) -> Option<Variant> {
        let member = crate::setting(&format!("{name}[{index}]")).ok()?;
        self.values.get(&(member.rows[0].name, Some(index))).cloned()
    }
}

/// A time in seconds; `None` for none, which 0 stands for. More than [`LONGEST`] is as good as for ever.
pub(crate) fn seconds(number: i64) -> Option<Duration> {
    let number = u64::try_from(number).ok().filter(|number| *number > 0)?;
    Some(Duration::from_secs(number).min(LONGEST))
}

/// A century. Clocks cannot count to the end of every number that a program may set.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// The property or setting of this name.
fn named(name: &str) -> Option<Member> {
    Member::property(name).or_else(|| Member::setting(name).ok())
}

impl Drop for Store {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(store: &mut Store, name: &str, value: impl Into<Variant>) -> Result<(), Error> {
        let (member, value) = (named(name).expect(name), value.into());
        member.check(&value)?;
        store.set(&member, value);
        Ok(())
    }

    #[test]
    fn defaults_are_those_of_the_tables() {
        let store = Store::default();
        assert_eq!((store.number("ssh_port"), store.text("ssh_user")), (22, String::new()));
        assert_eq!((store.flag("linger"), store.bytes("ssh_cert_store")), (true, b"MY".to_vec()));
        assert!(store.text("SSHMacAlgorithms").starts_with("hmac-"));
    }

    #[test]
    fn a_setting_may_be_another_name_of_a_property() {
        let mut store = Store::default();
        set(&mut store, "FirewallHost", "proxy").unwrap();
        assert_eq!(store.text("firewall_host"), "proxy");
    }

    #[test]
    fn what_changes_with_a_member_changes() {
        let mut store = Store::default();
        set(&mut store, "FirewallType", 3).unwrap();
        assert_eq!(store.number("firewall_port"), 1080);
        set(&mut store, "firewall_port", 1081).unwrap();
        set(&mut store, "firewall_type", 0).unwrap();
        assert_eq!(store.number("FirewallPort"), 1081);
        set(&mut store, "KeepAliveTime", 1000).unwrap();
        assert!(store.flag("TCPKeepAlive"));
        set(&mut store, "UseIOCP", true).unwrap();
        assert!(!store.flag("UseWindowsMessages"));
    }

    #[test]
    fn a_time_that_no_clock_can_count_to_is_a_long_one() {
        assert_eq!((seconds(-1), seconds(0), seconds(7)), (None, None, Some(Duration::from_secs(7))));
        assert_eq!(seconds(i64::MAX), Some(LONGEST));
        assert!(std::time::Instant::now().checked_add(LONGEST).is_some());
    }

    #[test]
    fn values_are_checked() {
        let mut store = Store::default();
        for (name, value, code, words) in [
            ("ssh_auth_mode", Variant::Int(8), 10022, "is one of 0, 1"),
            ("ssh_port", Variant::Int(0), 116, "from 1 to 65535"),
            ("ssh_port", Variant::from("22"), 10022, "a whole number"),
            ("MaxConnections", Variant::Int(100_001), 10022, "at most 100000"),
            ("SSHFingerprintHashAlgorithm", Variant::from("SHA3"), 10022, "MD5, SHA1, SHA256"),
            ("SSHMacAlgorithms", Variant::from("none-such"), 1005, "`none-such`"),
        ] {
            let error = set(&mut store, name, value).unwrap_err();
            assert!(error.code() == code && error.message().contains(words), "{name}: {error}");
        }
        set(&mut store, "SSHMacAlgorithms", "none-such, hmac-sha1").unwrap();
    }
}
