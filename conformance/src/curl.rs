//! curl as a client of our proxies.

use std::process::Command;
use std::time::Duration;

use underpass_testkit::Payload;

use crate::process::Process;
use crate::{Failure, Result};

/// How a fetch ended.
#[derive(Debug)]
pub struct Fetch {
    /// curl's exit code; 97 is a proxy that refuses, 56 an HTTP proxy that does.
    pub code: Option<i32>,
    /// What came.
    pub body: Vec<u8>,
    /// What curl said.
    pub said: String,
}

/// Fetches `url` through a proxy. `way` is how: curl's arguments.
///
/// # Errors
/// curl is missing, or takes longer than `deadline`.
pub fn fetch(way: &[&str], url: &str, deadline: Duration) -> Result<Fetch> {
    let mut command = Command::new("curl");
    // -q: no configuration file; a proxy of the environment must not meddle.
    command.args(["-q", "--silent", "--show-error", "--noproxy", ""]).args(way).arg(url);
    let mut curl = Process::start(&command)?;
    let status = curl.wait(deadline)?;
    Ok(Fetch { code: status.code(), body: curl.out().bytes(), said: curl.err().text() })
}

impl Fetch {
    /// Checks that the whole payload came.
    ///
    /// # Errors
    /// It did not.
    pub fn brought(&self, payload: Payload, length: u64) -> Result<()> {
        if self.code != Some(0) || self.body.len() as u64 != length {
            return Err(Failure::new(format!(
                "curl ended with {:?} after {} bytes: {}",
                self.code,
                self.body.len(),
                self.said
            )));
        }
        Ok(payload.check(0, &self.body)?)
    }

    /// Checks that it ended with this exit code, and these words.
    ///
    /// # Errors
    /// It did not.
    pub fn failed_with(&self, code: i32, words: &str) -> Result<()> {
        if self.code == Some(code) && self.said.contains(words) {
            return Ok(());
        }
        Err(Failure::new(format!("curl ended with {:?}, not {code} and `{words}`: {}", self.code, self.said)))
    }
}
