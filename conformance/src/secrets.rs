//! Finds secrets in logs.

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::Result;

/// The forms of `secrets` that are in `log`: as they are, in hexadecimal, in base64, and as lists of numbers.
#[must_use]
pub fn found_in(log: &str, secrets: &[String]) -> Vec<String> {
    let lower = log.to_lowercase();
    let forms =
        secrets.iter().flat_map(|secret| forms(secret.as_bytes()).into_iter().chain([secret.clone()]));
    forms.filter(|form| log.contains(form.as_str()) || lower.contains(form.as_str())).collect()
}

/// The lines that make up a private key file, without the first and the last.
///
/// # Errors
/// The file cannot be read.
pub fn lines_of_key(path: &Path) -> Result<Vec<String>> {
    let file = fs::read_to_string(path)?;
    Ok(file.lines().filter(|line| !line.starts_with('-')).map(String::from).collect())
}

/// How HTTP sends a user and a password (RFC 7617).
#[must_use]
pub fn basic(user: &str, password: &str) -> String {
    STANDARD_NO_PAD.encode(format!("{user}:{password}"))
}

fn forms(secret: &[u8]) -> [String; 4] {
    let join =
        |separator, form: fn(&u8) -> String| secret.iter().map(form).collect::<Vec<_>>().join(separator);
    [
        join("", |byte| format!("{byte:02x}")),
        join(" ", |byte| format!("{byte:02x}")),
        join(", ", |byte| byte.to_string()),
        // The last characters depend on what follows the secret.
        STANDARD_NO_PAD.encode(&secret[..secret.len() / 3 * 3]),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_each_form() {
        let secrets = ["hunter2".to_string()];
        for log in [
            "password hunter2",
            "sent 68756e74657232",
            "sent 68756E74657232",
            "sent 68 75 6e 74 65 72 32",
            "write [0, 104, 117, 110, 116, 101, 114, 50]",
            "payload aHVudGVyMg==",
        ] {
            assert_eq!(found_in(log, &secrets).len(), 1, "{log}");
        }
        assert!(found_in("password of 7 bytes", &secrets).is_empty());
    }
}
