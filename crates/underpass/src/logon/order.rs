//! Which keys are offered, and in which order, where an agent has a say.

use std::collections::HashSet;

use underpass_agent::Identity;
use underpass_wire::Untrusted;

use super::{Candidate, Key};
use crate::Settings;
use crate::agent::{Agent, AgentUse};

/// As ssh does: keys of files that the agent holds, in the order of the files; other keys of the agent, unless only those
/// that are named count; other keys of files, unless only the agent's count. Gives the names of the files, too, that hold
/// a public key of which the private half is nowhere.
pub(crate) fn in_order(
    settings: &Settings,
    files: &[Candidate],
    held: Vec<Identity>,
    agent: &Agent,
) -> (Vec<Candidate>, Vec<String>) {
    let is_held = |candidate: &&Candidate| held.iter().any(|identity| identity.key == candidate.public);
    let mut offered: Vec<_> = files.iter().filter(is_held).map(|file| file.through(agent)).collect();
    let mut known: HashSet<_> = files.iter().map(|candidate| candidate.public.clone()).collect();
    if !settings.identities_only {
        let others = held.iter().filter(|identity| known.insert(identity.key.clone()));
        offered.extend(others.map(|identity| Candidate {
            name: format!("{} of the agent", Untrusted(&identity.comment)),
            public: identity.key.clone(),
            key: Key::Agent(agent.clone()),
        }));
    }
    let (missing, own): (Vec<_>, Vec<_>) =
        files.iter().filter(|file| !is_held(file)).partition(|file| matches!(file.key, Key::Public));
    if settings.agent != AgentUse::Required {
        offered.extend(own.into_iter().cloned());
    }
    (offered, missing.into_iter().map(|file| file.name.clone()).collect())
}

impl Candidate {
    /// What the agent holds, it signs with, unless the key is at hand: that needs nobody.
    fn through(&self, agent: &Agent) -> Self {
        let key = match &self.key {
            ready @ Key::Ready(_) => ready.clone(),
            _ => Key::Agent(agent.clone()),
        };
        Self { key, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Builder;

    fn settings(change: impl FnOnce(Builder) -> Builder) -> Settings {
        change(Builder::new("bastion").agent_socket("/agent")).settings().unwrap()
    }

    fn file(name: &str, key: Key) -> Candidate {
        Candidate { name: name.to_owned(), public: name.as_bytes().to_vec(), key }
    }

    fn encrypted() -> Key {
        Key::Encrypted { path: "x".into(), bytes: Arc::default(), unlocked: Arc::default() }
    }

    /// What is offered with these files, and with an agent that holds `b`, `x` (twice) and `d`; and what is missing.
    fn offered(settings: &Settings) -> (Vec<String>, Vec<String>) {
        let agent = Agent::of(settings).unwrap();
        let held = ["b", "x", "d", "x"];
        let held = held.map(|key| Identity { key: key.into(), comment: b"\x1bc".to_vec() }).into();
        let files =
            [file("a", encrypted()), file("b", encrypted()), file("c", Key::Public), file("d", Key::Public)];
        let (offered, missing) = in_order(settings, &files, held, &agent);
        let by = |candidate: &Candidate| {
            let by = if matches!(candidate.key, Key::Agent(_)) { "agent" } else { "file" };
            format!("{} by {by}", String::from_utf8_lossy(&candidate.public))
        };
        assert!(offered.iter().all(|candidate| !candidate.name.contains('\x1b')));
        (offered.iter().map(by).collect(), missing)
    }

    #[test]
    fn keys_that_are_named_and_held_come_first_then_the_agents_then_the_files() {
        let (offered, missing) = offered(&settings(|builder| builder));
        assert_eq!(offered, ["b by agent", "d by agent", "x by agent", "a by file"]);
        assert_eq!(missing, ["c"]);
    }

    #[test]
    fn only_keys_that_are_named_are_offered_where_others_are_not_wanted() {
        let (offered, _) = offered(&settings(|builder| builder.identities_only(true)));
        assert_eq!(offered, ["b by agent", "d by agent", "a by file"]);
    }

    #[test]
    fn only_keys_of_the_agent_are_offered_where_it_is_required() {
        let (offered, _) = offered(&settings(|builder| builder.agent(AgentUse::Required)));
        assert_eq!(offered, ["b by agent", "d by agent", "x by agent"]);
    }

    #[test]
    fn there_is_no_agent_where_none_is_wanted_or_keys_are_of_no_use() {
        assert_eq!(Agent::of(&settings(|builder| builder.agent(AgentUse::Disabled))), None);
        assert_eq!(Agent::of(&settings(|builder| builder.preferred_authentications(["password"]))), None);
        assert!(Agent::of(&settings(|builder| builder)).is_some());
    }
}
