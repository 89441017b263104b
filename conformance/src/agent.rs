//! Agents: OpenSSH's, and ones that do as a test tells them.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use crate::keys::public_half;
use crate::process::Process;
use crate::{Failure, Result};

/// A running agent; stopped when dropped.
#[derive(Debug)]
pub struct Agent {
    /// Of OpenSSH's.
    _process: Option<Process>,
    scratch: TempDir,
}

impl Agent {
    /// OpenSSH's `ssh-agent`, which holds nothing yet.
    ///
    /// # Errors
    /// It is missing, or does not come up.
    pub fn start() -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let mut command = Command::new("ssh-agent");
        command.arg("-D").arg("-a").arg(scratch.path().join(SOCKET));
        let process = Process::start(&command)?;
        let agent = Self { _process: Some(process), scratch };
        for _ in 0..STARTUP_POLLS {
            if UnixStream::connect(agent.socket()).is_ok() {
                return Ok(agent);
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(Failure::new("ssh-agent does not listen"))
    }

    /// An agent that does with each connection what `serve` does. Its thread ends with the process.
    ///
    /// # Errors
    /// It cannot listen.
    pub fn scripted(serve: impl Fn(&mut UnixStream) + Send + Sync + 'static) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let listener = UnixListener::bind(scratch.path().join(SOCKET))?;
        thread::spawn(move || {
            thread::scope(|scope| {
                let serve = &serve;
                for mut stream in listener.incoming().flatten() {
                    scope.spawn(move || serve(&mut stream));
                }
            });
        });
        Ok(Self { _process: None, scratch })
    }

    /// Where it listens.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.scratch.path().join(SOCKET)
    }

    /// Has it hold a key, and the certificate beside it if there is one.
    ///
    /// # Errors
    /// It does not take it.
    pub fn add(&self, key: &Path) -> Result<()> {
        self.ssh_add(&["-q".as_ref(), key])
    }

    /// Has it hold a key that is in a device, and the certificate beside its file if there is one: in OpenSSH's device of
    /// software.
    ///
    /// # Errors
    /// It does not take it.
    pub fn add_from_device(&self, key: &Path) -> Result<()> {
        self.ssh_add(&["-q".as_ref(), "-S".as_ref(), SK_DUMMY.as_ref(), key])
    }

    /// Has it hold a key that is for one server alone, whose public host keys are these.
    ///
    /// # Errors
    /// It does not take it.
    pub fn add_for(&self, key: &Path, host_keys: &[PathBuf]) -> Result<()> {
        let hosts = self.scratch.path().join("hosts");
        let lines = host_keys.iter().map(|key| Ok(format!("server {}\n", public_half(key)?)));
        fs::write(&hosts, lines.collect::<Result<String>>()?)?;
        self.ssh_add(&["-q".as_ref(), "-H".as_ref(), &hosts, "-h".as_ref(), "server".as_ref(), key])
    }

    /// Locks it.
    ///
    /// # Errors
    /// It does not let itself be locked.
    pub fn lock(&self) -> Result<()> {
        self.ssh_add(&["-x".as_ref()])
    }

    fn ssh_add(&self, words: &[&Path]) -> Result<()> {
        // Answers with the same password each time.
        let askpass = self.scratch.path().join("askpass");
        fs::write(&askpass, "#!/bin/sh\necho halibut-31c0\n")?;
        fs::set_permissions(&askpass, fs::Permissions::from_mode(0o700))?;
        let mut command = Command::new("ssh-add");
        command.args(words).env("SSH_AUTH_SOCK", self.socket());
        let output = command.env("SSH_ASKPASS", askpass).env("SSH_ASKPASS_REQUIRE", "force").output()?;
        if output.status.success() {
            return Ok(());
        }
        Err(Failure::new(String::from_utf8_lossy(&output.stderr)).during("ssh-add"))
    }
}

/// The body of the next request; empty at the end. Extensions are unknown to this agent.
pub fn request(stream: &mut UnixStream) -> Vec<u8> {
    const EXTENSION: u8 = 27;
    const FAILURE: u8 = 5;
    loop {
        let mut header = [0; 4];
        if stream.read_exact(&mut header).is_err() {
            return Vec::new();
        }
        let mut body = vec![0; u32::from_be_bytes(header) as usize];
        if stream.read_exact(&mut body).is_err() {
            return Vec::new();
        }
        if body.first() != Some(&EXTENSION) {
            return body;
        }
        answer(stream, &[FAILURE]);
    }
}

/// Answers with a frame of this body.
pub fn answer(stream: &mut UnixStream, body: &[u8]) {
    // A client that is gone wants none.
    let _ = stream.write_all(&[&(body.len() as u32).to_be_bytes(), body].concat());
}

/// A FIDO authenticator of software that needs no touch, from OpenSSH's own tests (Debian: `openssh-tests`).
pub const SK_DUMMY: &str = "/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so";

const SOCKET: &str = "agent";

const STARTUP_POLLS: usize = 500;
