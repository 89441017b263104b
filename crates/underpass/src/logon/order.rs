//! Which keys are offered, and in which order, where an agent has a say.

use std::collections::HashSet;

use underpass_agent::Identity;
use underpass_crypto::x509::is_x509;
use underpass_wire::Untrusted;

use super::candidate::{Candidate, Key};
use crate::Settings;
use crate::agent::{Agent, AgentUse};

/// As ssh does: keys of files that the agent holds and those with certificates, in the order of the files; other keys of
/// the agent, unless only those that are named count; other keys of files, unless only the agent's count. Gives the names
/// of the files, too, that hold a public key or a certificate of which the private half is nowhere.
pub(crate) fn in_order(
    settings: &Settings,
    files: &[Candidate],
    held: Vec<Identity>,
    agent: &Agent,
) -> (Vec<Candidate>, Vec<String>) {
    let is_first = |file: &&Candidate| {
        let own = !matches!(file.key, Key::Public) && settings.agent != AgentUse::Required;
        file.held_as(&held).is_some() || (own && file.certificate.is_some())
    };
    let mut offered: Vec<_> = files.iter().filter(is_first).map(|file| file.through(agent, &held)).collect();
    let mut known: HashSet<_> =
        files.iter().flat_map(|file| [file.public.clone(), file.shown().to_vec()]).collect();
    if !settings.identities_only {
        let others = held.iter().filter(|identity| known.insert(identity.key.clone()));
        offered.extend(others.map(|identity| {
            let name = format!("{} of the agent", Untrusted(&identity.comment));
            Candidate::plain(name, identity.key.clone(), Key::Agent(agent.clone()))
        }));
    }
    let (missing, own): (Vec<_>, Vec<_>) =
        files.iter().filter(|file| !is_first(file)).partition(|file| matches!(file.key, Key::Public));
    if settings.agent != AgentUse::Required {
        offered.extend(own.into_iter().cloned());
    }
    (offered, missing.into_iter().map(|file| file.name.clone()).collect())
}

impl Candidate {
    /// What the agent knows it by, if it holds it: the key, or nothing but the certificate.
    fn held_as(&self, held: &[Identity]) -> Option<&[u8]> {
        let is_held = |key: &&[u8]| held.iter().any(|identity| identity.key == *key);
        [&self.public, self.shown()].into_iter().find(is_held)
    }

    /// What the agent holds, it signs with, unless the key is at hand: that needs nobody.
    fn through(&self, agent: &Agent, held: &[Identity]) -> Self {
        match (self.held_as(held), &self.key) {
            (None, _) | (_, Key::Ready(_)) => self.clone(),
            (Some(public), _) => {
                // Holding X.509 certificates, it knows by itself what becomes of signatures.
                let own = public != self.public && is_x509(public);
                let certificate = self.certificate.clone().filter(|_| !own);
                let key = Key::Agent(agent.clone());
                Self { public: public.to_vec(), key, certificate, ..self.clone() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Builder;
    use crate::logon::certificate::Certified;

    fn settings(change: impl FnOnce(Builder) -> Builder) -> Settings {
        change(Builder::new("bastion").agent_socket("/agent")).settings().unwrap()
    }

    fn file(name: &str, key: Key) -> Candidate {
        Candidate::plain(name.to_owned(), name.as_bytes().to_vec(), key)
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
    fn certificates_come_first_whoever_signs() {
        let settings = settings(|builder| builder);
        let agent = Agent::of(&settings).unwrap();
        let held: Vec<_> = [&b"x"[..], b"b", b"cert-c"]
            .map(|key| Identity { key: key.to_vec(), comment: Vec::new() })
            .into();
        let keys = [file("a", encrypted()), file("b", encrypted()), file("c", Key::Public)];
        let certified = |key: &Candidate| {
            let blob = [&b"cert-"[..], &key.public].concat();
            Candidate { certificate: Some(Certified::any(blob)), ..key.clone() }
        };
        let files: Vec<_> = keys.iter().map(certified).chain(keys.iter().cloned()).collect();
        let (offered, missing) = in_order(&settings, &files, held, &agent);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let told = |it: &Candidate| (text(it.shown()), it.agent().map(|(_, key)| text(key)));
        let expected = [
            ("cert-a", None),
            ("cert-b", Some("b")),
            // The agent holds no more than the certificate of this one.
            ("cert-c", Some("cert-c")),
            ("b", Some("b")),
            ("x", Some("x")),
            ("a", None),
        ];
        let expected = expected.map(|(shown, by)| (shown.to_owned(), by.map(str::to_owned)));
        assert_eq!(offered.iter().map(told).collect::<Vec<_>>(), expected);
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
