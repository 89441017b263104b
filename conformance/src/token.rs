//! A PKCS#11 token: one of SoftHSM (Debian: `softhsm2`), filled by OpenSC's tool (`opensc`).

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use tempfile::TempDir;

use crate::x509::{self, Authority};
use crate::{Failure, Result};

/// Where the module is.
pub const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";

/// The token's label.
pub const LABEL: &str = "the token";

/// The PIN of its owner.
pub const PIN: &str = "43217654";

/// A token with its own configuration, which the module finds through [`VARIABLE`].
#[derive(Debug)]
pub struct Token {
    scratch: TempDir,
}

/// The environment variable that names SoftHSM's configuration.
pub const VARIABLE: &str = "SOFTHSM2_CONF";

impl Token {
    /// No token yet, but the place for it.
    fn place() -> Result<Self> {
        let token = Self { scratch: tempfile::tempdir()? };
        let store = token.store();
        fs::create_dir(&store)?;
        let lines = format!("directories.tokendir = {}\nobjectstore.backend = file\n", store.display());
        fs::write(token.configuration(), lines)?;
        Ok(token)
    }

    /// An empty token.
    ///
    /// # Errors
    /// SoftHSM is missing, or failed.
    pub fn new() -> Result<Self> {
        let token = Self::place()?;
        token.run(
            "softhsm2-util",
            &["--init-token", "--free", "--label", LABEL, "--pin", PIN, "--so-pin", "5678"],
        )?;
        Ok(token)
    }

    /// Another with the same content. A login changes SoftHSM's files, and a process that starts just then finds no
    /// token: what is used at the same time needs one each.
    ///
    /// # Errors
    /// It cannot be copied.
    pub fn copy(&self) -> Result<Self> {
        let copy = Self::place()?;
        for token in fs::read_dir(self.store())? {
            let token = token?;
            let to = copy.store().join(token.file_name());
            fs::create_dir(&to)?;
            for file in fs::read_dir(token.path())? {
                let file = file?;
                fs::copy(file.path(), to.join(file.file_name()))?;
            }
        }
        Ok(copy)
    }

    fn store(&self) -> PathBuf {
        self.scratch.path().join("tokens")
    }

    /// Makes a key; `key_type` and `id` (in hexadecimal) are as OpenSC's tool has them.
    ///
    /// # Errors
    /// The tool is missing, or failed.
    pub fn generate(&self, key_type: &str, id: &str, label: &str) -> Result<()> {
        let key = ["--keypairgen", "--key-type", key_type, "--id", id, "--label", label];
        self.tool(&[&["--login", "--pin", PIN], &key[..]].concat())
    }

    /// Has an authority certify the key of that label, and puts the certificate under `id` (in hexadecimal). Gives it as PEM.
    ///
    /// # Errors
    /// A tool is missing, or failed.
    pub fn certify(&self, by: &Authority, label: &str, id: &str, subject: &str) -> Result<String> {
        let key = self.scratch.path().join("certified");
        fs::write(key.with_extension("pub"), self.authorized_key(label)?)?;
        let certificate = by.certify(&key, subject, x509::USER)?;
        self.hold(&certificate, id, label)?;
        Ok(certificate)
    }

    /// Puts a certificate on it, without a key.
    ///
    /// # Errors
    /// A tool is missing, or failed.
    pub fn hold(&self, certificate: &str, id: &str, label: &str) -> Result<()> {
        let [pem, der] = ["certificate.pem", "certificate.der"].map(|name| self.scratch.path().join(name));
        fs::write(&pem, certificate)?;
        let (from, to) = (pem.display().to_string(), der.display().to_string());
        self.run("openssl", &["x509", "-in", &from, "-outform", "DER", "-out", &to])?;
        let object = ["--write-object", &to, "--type", "cert", "--id", id, "--label", label];
        self.tool(&[&["--login", "--pin", PIN], &object[..]].concat())
    }

    /// Leaves of the key of that identifier the private half alone.
    ///
    /// # Errors
    /// The tool is missing, or failed.
    pub fn hide(&self, id: &str) -> Result<()> {
        self.tool(&["--login", "--pin", PIN, "--delete-object", "--type", "pubkey", "--id", id])
    }

    /// The file with its configuration.
    #[must_use]
    pub fn configuration(&self) -> PathBuf {
        self.scratch.path().join("softhsm2.conf")
    }

    /// The public half of the key of that label, as a line of `authorized_keys`, as OpenSSH reads it off the token.
    ///
    /// # Errors
    /// There is no such key.
    pub fn authorized_key(&self, label: &str) -> Result<String> {
        let lines = self.run("ssh-keygen", &["-D", MODULE])?;
        let of_label = |line: &&str| line.split(' ').nth(2) == Some(label);
        match lines.lines().find(of_label) {
            Some(line) => Ok(format!("{line}\n")),
            None => self.ed25519_key(label),
        }
    }

    /// OpenSSH takes no such key from a token.
    fn ed25519_key(&self, label: &str) -> Result<String> {
        let file = self.scratch.path().join("key.pem");
        let name = file.display().to_string();
        self.tool(&["--read-object", "--type", "pubkey", "--label", label, "--output-file", &name])?;
        let pem = fs::read_to_string(&file)?;
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let info = BASE64_STANDARD.decode(lines).map_err(|error| Failure::new(error.to_string()))?;
        let point =
            info.strip_prefix(ED25519_INFO).ok_or_else(|| Failure::new(format!("{label} is no such key")))?;
        let blob = [b"\0\0\0\x0bssh-ed25519\0\0\0\x20", point].concat();
        Ok(format!("ssh-ed25519 {}\n", BASE64_STANDARD.encode(blob)))
    }

    fn tool(&self, arguments: &[&str]) -> Result<()> {
        let start = ["--module", MODULE, "--token-label", LABEL];
        self.run("pkcs11-tool", &[&start, arguments].concat()).map(|_| ())
    }

    fn run(&self, program: &str, arguments: &[impl AsRef<OsStr>]) -> Result<String> {
        let mut command = Command::new(program);
        let output = command.args(arguments).env(VARIABLE, self.configuration()).output();
        let output = output.map_err(|error| Failure::new(format!("{program}: {error}")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Failure::new(format!("{program} failed: {}", String::from_utf8_lossy(&output.stderr))))
    }
}

/// What stands before the 32 bytes of an Ed25519 key (RFC 8410 section 4).
const ED25519_INFO: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\0";
