use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::{Failure, Result};

/// Which client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// Ours.
    Underpass,
    /// OpenSSH's, which stands in to show that a failure is not the harness's.
    Ssh,
}

impl ClientKind {
    /// The client that the environment variable `UNDERPASS_CLIENT` names, else ours.
    ///
    /// # Panics
    /// It names another.
    #[must_use]
    pub fn chosen() -> Self {
        match env::var("UNDERPASS_CLIENT").as_deref() {
            Err(_) | Ok("underpass") => Self::Underpass,
            Ok("ssh") => Self::Ssh,
            Ok(other) => panic!("UNDERPASS_CLIENT is {other}, neither underpass nor ssh"),
        }
    }

    /// Its executable.
    ///
    /// # Errors
    /// Ours could not be built.
    pub fn program(self) -> Result<PathBuf> {
        match self {
            Self::Ssh => Ok("ssh".into()),
            Self::Underpass => {
                static BUILT: OnceLock<std::result::Result<PathBuf, String>> = OnceLock::new();
                let built = BUILT.get_or_init(|| match env::var_os("UNDERPASS_BIN") {
                    Some(path) => Ok(path.into()),
                    None => build().map_err(|failure| failure.to_string()),
                });
                built.clone().map_err(Failure::new)
            }
        }
    }
}

/// Builds our client as the tests are built: with what all packages need, and with it the examples, which ask for the features
/// of tests. A test of another package gets no path to it from cargo.
fn build() -> Result<PathBuf> {
    let output = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--workspace", "--bin", "underpass", "--examples"])
        .args(["--message-format", "json-render-diagnostics"])
        .output()?;
    if !output.status.success() {
        return Err(Failure::new(String::from_utf8_lossy(&output.stderr)).during("building underpass"));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let executable = messages.lines().find_map(|line| {
        let message: Value = serde_json::from_str(line).ok()?;
        let executable = message["executable"].as_str()?;
        (message["target"]["name"] == "underpass").then(|| PathBuf::from(executable))
    });
    executable.ok_or_else(|| Failure::new("underpass-cli has no executable"))
}
