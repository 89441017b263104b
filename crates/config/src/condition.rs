//! The criteria of `Match`.

use crate::{Problem, pattern, words::Delimited};

/// What the criteria are held against.
pub(crate) trait Subject {
    /// Whether the files are read a second time.
    fn second_pass(&self) -> bool;

    /// What the patterns of a criterion are matched with.
    fn value(&self, criterion: Named) -> Result<String, Problem>;

    /// Whether a command, in which tokens stand, exits with 0.
    fn exec(&self, command: &str) -> Result<bool, Problem>;
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) matched: bool,
    /// Whether `final` is among the criteria, so that the files are to be read a second time.
    pub(crate) wants_second_pass: bool,
}

/// A criterion with a list of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Host,
    OriginalHost,
    User,
    LocalUser,
    Tagged,
    Command,
    SessionType,
}

/// Holds the criteria against the subject. All must hold; a mistake counts even behind one that does not.
pub(crate) fn evaluate(criteria: &str, subject: &impl Subject) -> Result<Outcome, Problem> {
    let mut words = Delimited::new(criteria);
    let mut outcome = Outcome { matched: true, wants_second_pass: false };
    let mut count = 0;
    while let Some(word) = words.next()?.filter(|word| !word.is_empty()) {
        if word.starts_with('#') {
            words.finish();
            break;
        }
        let (negated, name) = match word.strip_prefix('!') {
            Some(name) => (true, name),
            None => (false, word.as_str()),
        };
        let criterion = Criterion::of(name)?;
        if criterion == Criterion::All {
            let next = words.next()?.unwrap_or_default();
            if count > 1 || !(next.is_empty() || next.starts_with('#')) {
                return Err(Problem::AllNotAlone);
            }
            return Ok(Outcome { matched: outcome.matched && !negated, ..outcome });
        }
        count += 1;
        let holds = match criterion {
            Criterion::All => true,
            Criterion::Canonical => subject.second_pass(),
            Criterion::Final => {
                outcome.wants_second_pass = true;
                subject.second_pass()
            }
            Criterion::Exec => {
                let command = value(&mut words, name, false)?;
                // Nothing is run for a block that is out already.
                if !outcome.matched {
                    continue;
                }
                subject.exec(&command)?
            }
            Criterion::Named(named) => {
                let may_be_empty = matches!(named, Named::Tagged | Named::Command);
                holds(named, &value(&mut words, name, may_be_empty)?, subject)?
            }
        };
        outcome.matched &= holds != negated;
    }
    match (count, words.rest()) {
        (0, _) => Err(Problem::NoCriterion),
        (_, "") => Ok(outcome),
        _ => Err(Problem::AfterCriteria),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Criterion {
    All,
    Canonical,
    Final,
    Exec,
    Named(Named),
}

impl Criterion {
    fn of(name: &str) -> Result<Self, Problem> {
        let is = |known: &&str| known.eq_ignore_ascii_case(name);
        if let Some(at) = NAMES.iter().position(is) {
            return Ok(CRITERIA[at]);
        }
        Err(match UNSUPPORTED.iter().find(|known| is(known)) {
            Some(known) => Problem::UnsupportedCriterion(known),
            None => Problem::UnknownCriterion(name.to_owned()),
        })
    }
}

/// The value of a criterion.
fn value(words: &mut Delimited<'_>, criterion: &str, may_be_empty: bool) -> Result<String, Problem> {
    let value = words.next()?.filter(|value| !value.starts_with('#') && (may_be_empty || !value.is_empty()));
    value.ok_or_else(|| Problem::NoCriterionValue(criterion.to_owned()))
}

fn holds(named: Named, patterns: &str, subject: &impl Subject) -> Result<bool, Problem> {
    let value = subject.value(named)?;
    Ok(match named {
        Named::Host | Named::OriginalHost => pattern::list_accepts_any_case(patterns, &value),
        // No pattern matches nothing, so nothing at all asks for that.
        _ if value.is_empty() => patterns.is_empty(),
        _ => pattern::list_accepts(patterns, &value),
    })
}

/// The names of [`CRITERIA`], in its order.
pub(crate) const NAMES: [&str; 11] = [
    "all",
    "canonical",
    "final",
    "exec",
    "host",
    "originalhost",
    "user",
    "localuser",
    "tagged",
    "command",
    "sessiontype",
];

const CRITERIA: [Criterion; 11] = [
    Criterion::All,
    Criterion::Canonical,
    Criterion::Final,
    Criterion::Exec,
    Criterion::Named(Named::Host),
    Criterion::Named(Named::OriginalHost),
    Criterion::Named(Named::User),
    Criterion::Named(Named::LocalUser),
    Criterion::Named(Named::Tagged),
    Criterion::Named(Named::Command),
    Criterion::Named(Named::SessionType),
];

/// Criteria of OpenSSH 9.4 and later that ask for what nobody here knows: the addresses of the machine, the version of
/// an OpenSSH that does not run.
const UNSUPPORTED: [&str; 2] = ["localnetwork", "version"];

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;

    #[derive(Default)]
    struct Me {
        second_pass: bool,
        tag: &'static str,
        run: RefCell<Vec<String>>,
    }

    impl Subject for Me {
        fn second_pass(&self) -> bool {
            self.second_pass
        }

        fn value(&self, criterion: Named) -> Result<String, Problem> {
            let value = match criterion {
                Named::Host => "web.example.com",
                Named::OriginalHost => "Web",
                Named::User => "root",
                Named::LocalUser => "me",
                Named::Tagged => self.tag,
                Named::Command => "",
                Named::SessionType => "none",
            };
            Ok(value.to_owned())
        }

        fn exec(&self, command: &str) -> Result<bool, Problem> {
            self.run.borrow_mut().push(command.to_owned());
            Ok(command.starts_with("true"))
        }
    }

    fn matched(criteria: &str) -> bool {
        evaluate(criteria, &Me::default()).unwrap_or_else(|problem| panic!("{criteria}: {problem}")).matched
    }

    #[test]
    fn all_criteria_must_hold() {
        for (criteria, expected) in [
            ("all", true),
            ("!all", false),
            ("ALL # comment", true),
            ("host *.example.com", true),
            ("host=WEB.*", true),
            ("host \"*.org,*.com\" user root", true),
            ("host *.com user nobody", false),
            ("host *.com,!web.*", false),
            ("!host *.org", true),
            ("!user root", false),
            ("originalhost web", true),
            ("localuser m?", true),
            ("user Root", false),
            ("user nobody,ro* # comment", true),
            ("tagged \"\"", true),
            ("tagged x", false),
            ("command \"\" sessiontype none", true),
            ("user root all", true),
            ("user nobody all", false),
        ] {
            assert_eq!(matched(criteria), expected, "{criteria}");
        }
        let tagged = Me { tag: "vpn", ..Me::default() };
        assert!(evaluate("tagged v*", &tagged).unwrap().matched);
        assert!(!evaluate("tagged \"\"", &tagged).unwrap().matched);
    }

    #[test]
    fn final_and_canonical_hold_when_the_files_are_read_again() {
        let first = evaluate("final", &Me::default()).unwrap();
        assert_eq!(first, Outcome { matched: false, wants_second_pass: true });
        assert!(!evaluate("canonical", &Me::default()).unwrap().wants_second_pass);
        let again = Me { second_pass: true, ..Me::default() };
        for (criteria, expected) in
            [("final", true), ("canonical", true), ("!final", false), ("final user root", true)]
        {
            assert_eq!(evaluate(criteria, &again).unwrap().matched, expected, "{criteria}");
        }
    }

    #[test]
    fn a_command_is_run_only_if_all_before_it_holds() {
        let me = Me::default();
        assert!(evaluate("exec \"true a\" !exec false", &me).unwrap().matched);
        assert!(!evaluate("user nobody exec \"true b\"", &me).unwrap().matched);
        assert_eq!(*me.run.borrow(), ["true a", "false"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (criteria, expected) in [
            ("# none", Problem::NoCriterion),
            ("hots a", Problem::UnknownCriterion("hots".to_owned())),
            ("user nobody hots a", Problem::UnknownCriterion("hots".to_owned())),
            ("localnetwork 10.0.0.0/8", Problem::UnsupportedCriterion("localnetwork")),
            ("host", Problem::NoCriterionValue("host".to_owned())),
            ("host # x", Problem::NoCriterionValue("host".to_owned())),
            ("all host a", Problem::AllNotAlone),
            ("host a user b all", Problem::AllNotAlone),
            ("host a \"\" b", Problem::AfterCriteria),
        ] {
            assert_eq!(evaluate(criteria, &Me::default()), Err(expected), "{criteria}");
        }
        assert!(matches!(evaluate("host \"a", &Me::default()), Err(Problem::Quote(_))));
    }
}
