//! The tables: one file for each, rows in the order of the description of the interface.

mod algorithms;
mod code_pages;
mod deviations;
mod errors;
mod events;
mod methods;
mod packets;
mod properties;
mod settings;
mod stores;
mod support;

pub use algorithms::{
    COMPRESSION, ENCRYPTION, HOST_KEY, KEX, MAC, PUBLIC_KEY_SIGNATURE, SIGNED_KEY, STRICT_KEX,
};
pub use code_pages::CODE_PAGES;
pub use deviations::DEVIATIONS;
pub use errors::ERRORS;
pub use events::EVENTS;
pub use methods::METHODS;
pub use packets::{PACKET_FIELDS, PARAM_TYPES};
pub use properties::PROPERTIES;
pub use settings::{SETTINGS, settings};
pub use stores::{STORE_TYPES, SUBJECT_FIELDS};
pub use support::{SUPPORT, support};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Effect, Group};

    fn distinct<T: PartialEq>(names: &[T]) -> bool {
        names.iter().enumerate().all(|(at, name)| !names[..at].contains(name))
    }

    #[test]
    fn no_name_stands_twice() {
        assert!(distinct(&PROPERTIES.iter().map(|row| row.name).collect::<Vec<_>>()));
        assert!(distinct(&METHODS.iter().map(|row| row.name).collect::<Vec<_>>()));
        assert!(distinct(&EVENTS.iter().map(|row| row.name).collect::<Vec<_>>()));
        let settings: Vec<(Group, String)> =
            settings().map(|row| (row.group, row.name.to_ascii_lowercase())).collect();
        assert!(distinct(&settings));
    }

    #[test]
    fn members_that_rows_speak_of_are_there() {
        let there = |name: &str| crate::property(name).is_some() || crate::setting(name).is_ok();
        let effects = |effects: &[Effect]| effects.iter().all(|effect| there(effect.member));
        for row in PROPERTIES {
            assert!(effects(row.effects), "{}", row.name);
        }
        for row in settings() {
            assert!(effects(row.effects), "{}", row.name);
            assert!(row.mirrors.is_none_or(|name| crate::property(name).is_some()), "{}", row.name);
        }
        assert!(DEVIATIONS.iter().all(|deviation| there(deviation.member)));
    }

    #[test]
    fn codes_that_rows_refuse_with_have_a_text() {
        let properties = PROPERTIES.iter().map(|row| row.refusals);
        let methods = METHODS.iter().map(|row| row.refusals);
        for refusal in properties.chain(methods).chain(settings().map(|row| row.refusals)).flatten() {
            assert!(crate::error_text(refusal.code).is_some(), "{refusal:?}");
        }
    }
}
