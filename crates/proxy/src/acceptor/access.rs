use std::sync::Arc;

use subtle::{Choice, ConstantTimeEq as _};
use zeroize::Zeroizing;

use crate::limits::MAX_CREDENTIAL;
use crate::secret::Credentials;

/// Who may use a proxy. A clone shares the accounts.
#[derive(Debug, Clone)]
pub enum Access {
    /// Whoever reaches the port.
    Anyone,
    /// Whoever has one of these accounts; nobody when there are none. SOCKS 4 has no passwords and is refused.
    Accounts(Arc<[Credentials]>),
}

impl Access {
    /// Whether user and password belong together. The time it takes tells nothing about the accounts but their
    /// number: every account is compared, in full.
    pub(super) fn admits(&self, user: &[u8], password: &[u8]) -> bool {
        let Self::Accounts(accounts) = self else {
            return true;
        };
        let fits = user.len() <= MAX_CREDENTIAL && password.len() <= MAX_CREDENTIAL;
        let (user, password) = (padded(user), padded(password));
        let matches = accounts.iter().map(|account| {
            let same_user = padded(account.user().as_bytes()).ct_eq(&*user);
            same_user & padded(account.password().expose().as_bytes()).ct_eq(&*password)
        });
        (matches.fold(Choice::from(0), |any, one| any | one) & Choice::from(u8::from(fits))).into()
    }
}

/// All texts at the same length, as slices of different lengths would be told apart at once. The length itself
/// comes last.
fn padded(text: &[u8]) -> Zeroizing<[u8; MAX_CREDENTIAL + 1]> {
    let mut padded = Zeroizing::new([0; MAX_CREDENTIAL + 1]);
    let len = text.len().min(MAX_CREDENTIAL);
    padded[..len].copy_from_slice(&text[..len]);
    padded[MAX_CREDENTIAL] = len as u8;
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accounts() -> Access {
        let account = |user: &str, password: &str| Credentials::new(user, password).unwrap();
        Access::Accounts([account("ann", "one"), account("bob", "two"), account("cy", "")].into())
    }

    #[test]
    fn a_password_opens_its_own_account_only() {
        let access = accounts();
        assert!(access.admits(b"ann", b"one"));
        assert!(access.admits(b"bob", b"two"));
        assert!(access.admits(b"cy", b""));
        for (user, password) in
            [("ann", "two"), ("bob", "one"), ("", ""), ("ann", ""), ("ann", "one\0"), ("an", "none")]
        {
            assert!(!access.admits(user.as_bytes(), password.as_bytes()), "{user}:{password}");
        }
    }

    #[test]
    fn what_is_longer_than_an_account_can_be_matches_none() {
        let long = "a".repeat(255);
        let access = Access::Accounts([Credentials::new(&*long, &*long).unwrap()].into());
        assert!(access.admits(long.as_bytes(), long.as_bytes()));
        assert!(!access.admits(&[b'a'; 256], long.as_bytes()));
        assert!(!access.admits(long.as_bytes(), &[b'a'; 511]));
    }

    #[test]
    fn without_accounts_nobody_is_admitted() {
        assert!(!Access::Accounts([].into()).admits(b"", b""));
    }
}
