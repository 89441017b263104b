//! Who may log on to a gateway, and what it may reach.

use std::sync::Arc;

use subtle::{Choice, ConstantTimeEq as _};
use underpass_crypto::Secret;
use underpass_proto::{Attempt, Prompt, Prompts, Verdict};

use super::remote::ListenRequest;
use crate::Target;

/// Wrong attempts of one connection before it is only refused; guessing is to cost a handshake.
const MAX_FAILURES: u32 = 6;

type Allowed<T> = Arc<dyn Fn(&T) -> bool + Send + Sync>;

#[derive(Default)]
pub(super) struct Policy {
    pub(super) passwords: Vec<(String, Secret)>,
    pub(super) keys: Vec<(String, Vec<u8>)>,
    pub(super) targets: Vec<Allowed<Target>>,
    pub(super) listening: Vec<Allowed<ListenRequest>>,
}

impl Policy {
    /// Judges an attempt. `failures` counts those of this connection.
    pub(super) fn judge(&self, user: &str, attempt: &Attempt, failures: &mut u32) -> Verdict {
        if *failures >= MAX_FAILURES {
            return Verdict::Refuse { methods: Vec::new(), partial: false };
        }
        let accepted = match attempt {
            Attempt::Password(password) => self.has_password(user, password),
            Attempt::KeyQuery { key, .. } | Attempt::Key { key, .. } => self.has_key(user, key),
            Attempt::KeyboardInteractive if !self.passwords.is_empty() => {
                let prompt = Prompt { text: b"Password: ".to_vec(), echo: false };
                return Verdict::Prompt(Prompts { prompts: vec![prompt], ..Prompts::default() });
            }
            Attempt::Responses(responses) => {
                matches!(responses.as_slice(), [password] if self.has_password(user, password))
            }
            _ => false,
        };
        if accepted {
            return Verdict::Accept;
        }
        // Asking what there is, and offering keys one by one, is not guessing.
        if !matches!(attempt, Attempt::None | Attempt::KeyQuery { .. }) {
            *failures += 1;
        }
        Verdict::Refuse { methods: self.methods(), partial: false }
    }

    pub(super) fn allows(&self, target: &Target) -> bool {
        self.targets.iter().any(|allowed| allowed(target))
    }

    pub(super) fn allows_listening(&self, request: &ListenRequest) -> bool {
        self.listening.iter().any(|allowed| allowed(request))
    }

    /// Looks at every password, so that the time taken does not tell which users exist.
    fn has_password(&self, user: &str, password: &Secret) -> bool {
        let matching = self.passwords.iter().fold(Choice::from(0), |found, (name, right)| {
            let same_user = name.as_bytes().ct_eq(user.as_bytes());
            found | (same_user & right.expose().ct_eq(password.expose()))
        });
        matching.into()
    }

    fn has_key(&self, user: &str, key: &[u8]) -> bool {
        self.keys.iter().any(|(name, known)| name == user && known == key)
    }

    fn methods(&self) -> Vec<String> {
        let mut methods = Vec::new();
        if !self.keys.is_empty() {
            methods.push("publickey".to_owned());
        }
        if !self.passwords.is_empty() {
            methods.extend(["password".to_owned(), "keyboard-interactive".to_owned()]);
        }
        methods
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> Policy {
        Policy {
            passwords: vec![("me".to_owned(), "right".into())],
            keys: vec![("me".to_owned(), b"key".to_vec())],
            targets: vec![Arc::new(|target| target.port == 5432)],
            listening: vec![Arc::new(|request| request.address == "localhost")],
        }
    }

    fn password(text: &str) -> Attempt {
        Attempt::Password(text.into())
    }

    #[test]
    fn only_the_users_own_password_or_key_is_accepted() {
        let key = |bytes: &[u8]| Attempt::Key { key: bytes.to_vec(), algorithm: String::new() };
        let accepted = |user, attempt| policy().judge(user, &attempt, &mut 0) == Verdict::Accept;
        assert!(accepted("me", password("right")));
        assert!(!accepted("me", password("wrong")));
        assert!(!accepted("you", password("right")));
        assert!(accepted("me", key(b"key")));
        assert!(!accepted("you", key(b"key")));
        assert!(!accepted("me", Attempt::None));
        assert!(accepted("me", Attempt::Responses(vec!["right".into()])));
        assert!(!accepted("me", Attempt::Responses(vec!["right".into(), "right".into()])));
    }

    #[test]
    fn after_some_failures_even_the_right_password_is_refused() {
        let (policy, mut failures) = (policy(), 0);
        for _ in 0..MAX_FAILURES {
            policy.judge("me", &password("wrong"), &mut failures);
        }
        assert_ne!(policy.judge("me", &password("right"), &mut failures), Verdict::Accept);
    }

    #[test]
    fn listening_is_refused_unless_allowed() {
        let request = |address: &str| ListenRequest { address: address.to_owned(), port: 0 };
        assert!(policy().allows_listening(&request("localhost")));
        assert!(!policy().allows_listening(&request("")));
        assert!(!Policy::default().allows_listening(&request("localhost")));
    }

    #[test]
    fn targets_are_refused_unless_allowed() {
        let target = |port| Target { host: "db".to_owned(), port };
        assert!(policy().allows(&target(5432)));
        assert!(!policy().allows(&target(22)));
        assert!(!Policy::default().allows(&target(5432)));
    }
}
