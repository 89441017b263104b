//! X.509 certificates, made by `openssl`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::keys::succeeded;
use crate::{Failure, Result};

/// One that certifies keys: `NAME.pem` and `NAME.key` in a directory.
#[derive(Clone, Debug)]
pub struct Authority {
    stem: PathBuf,
}

/// The extensions of an authority.
pub const CA: &[&str] = &["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"];

/// The extensions of a server at 127.0.0.1. OpenSSL knows the purpose of RFC 6187 by its number.
pub const HOST: &[&str] = &[
    "subjectAltName=IP:127.0.0.1",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=1.3.6.1.5.5.7.3.22",
];

/// The extensions of the account that the peers have, with the purpose of RFC 6187 for those who log in. asyncssh finds the
/// name of the account in the mail address.
pub const USER: &[&str] = &[
    "subjectAltName=email:tess",
    "keyUsage=critical,digitalSignature",
    "extendedKeyUsage=1.3.6.1.5.5.7.3.21",
];

/// Its subject, as `openssl` takes it.
pub const USER_SUBJECT: &str = "/O=Tests, Inc./CN=tess";

impl Authority {
    /// One that was made before.
    #[must_use]
    pub fn at(directory: &Path, name: &str) -> Self {
        Self { stem: directory.join(name) }
    }

    /// Makes one that nobody certifies.
    ///
    /// # Errors
    /// `openssl` is missing or failed.
    pub fn root(directory: &Path, name: &str) -> Result<Self> {
        let root = Self::at(directory, name);
        root.make_key()?;
        let mut new = New::certificate(&subject(name), CA, 30)?;
        new.command.arg("-signkey").arg(root.key()).arg("-out").arg(root.path());
        new.run()?;
        Ok(root)
    }

    /// Makes one that this one certifies.
    ///
    /// # Errors
    /// `openssl` failed.
    pub fn authority(&self, directory: &Path, name: &str, extensions: &[&str]) -> Result<Self> {
        let authority = Self::at(directory, name);
        authority.make_key()?;
        let public = directory.join(format!("{name}.pub.pem"));
        openssl(|command| {
            command.args(["pkey", "-pubout", "-in"]).arg(authority.key()).arg("-out").arg(&public)
        })?;
        fs::write(authority.path(), self.sign(&public, &subject(name), extensions, 30)?)?;
        Ok(authority)
    }

    /// A certificate for the public half of one of our keys, as PEM.
    ///
    /// # Errors
    /// `ssh-keygen` or `openssl` failed.
    pub fn certify(&self, key: &Path, subject: &str, extensions: &[&str]) -> Result<String> {
        self.certify_for(key, subject, extensions, 30)
    }

    /// The same, for so many days from now, or until so many days ago.
    ///
    /// # Errors
    /// `ssh-keygen` or `openssl` failed.
    pub fn certify_for(&self, key: &Path, subject: &str, extensions: &[&str], days: i32) -> Result<String> {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-e", "-m", "PKCS8", "-f"]).arg(key.with_extension("pub"));
        let exported = keygen.output().map_err(|error| Failure::from(error).during("ssh-keygen"))?;
        let scratch = tempfile::tempdir()?;
        let public = scratch.path().join("public.pem");
        fs::write(&public, &exported.stdout)?;
        succeeded("ssh-keygen", Ok(exported))?;
        self.sign(&public, subject, extensions, days)
    }

    /// Where its certificate is.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.stem.with_extension("pem")
    }

    /// Its certificate, as PEM.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn certificate(&self) -> Result<String> {
        Ok(fs::read_to_string(self.path())?)
    }

    /// Its key as the line of a `.pub` file.
    ///
    /// # Errors
    /// `openssl` or `ssh-keygen` failed.
    pub fn public_line(&self) -> Result<String> {
        let scratch = tempfile::tempdir()?;
        let public = scratch.path().join("public.pem");
        openssl(|command| command.args(["pkey", "-pubout", "-in"]).arg(self.key()).arg("-out").arg(&public))?;
        let line = Command::new("ssh-keygen").args(["-i", "-m", "PKCS8", "-f"]).arg(&public).output()?;
        Ok(String::from_utf8_lossy(&line.stdout).trim().to_owned())
    }

    fn sign(&self, public: &Path, subject: &str, extensions: &[&str], days: i32) -> Result<String> {
        let mut new = New::certificate(subject, extensions, days)?;
        new.command.arg("-force_pubkey").arg(public);
        new.command.arg("-CA").arg(self.path()).arg("-CAkey").arg(self.key());
        new.run()
    }

    fn key(&self) -> PathBuf {
        self.stem.with_extension("key")
    }

    fn make_key(&self) -> Result<()> {
        openssl(|command| {
            let arguments = ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out"];
            command.args(arguments).arg(self.key())
        })
    }
}

/// `openssl x509 -new`.
struct New {
    command: Command,
    /// Holds the extensions that it reads.
    _scratch: TempDir,
}

impl New {
    fn certificate(subject: &str, extensions: &[&str], days: i32) -> Result<Self> {
        let scratch = tempfile::tempdir()?;
        let file = scratch.path().join("extensions");
        fs::write(&file, extensions.join("\n"))?;
        let mut command = Command::new("openssl");
        command.args(["x509", "-new", "-subj", subject, "-days", &days.to_string(), "-extfile"]).arg(file);
        Ok(Self { command, _scratch: scratch })
    }

    fn run(&mut self) -> Result<String> {
        let output = self.command.output().map_err(|error| Failure::from(error).during("openssl"))?;
        let certificate = String::from_utf8_lossy(&output.stdout).into_owned();
        succeeded("openssl", Ok(output))?;
        Ok(certificate)
    }
}

fn subject(name: &str) -> String {
    format!("/O=Tests/CN={name}")
}

fn openssl(arguments: impl FnOnce(&mut Command) -> &mut Command) -> Result<()> {
    succeeded("openssl", arguments(&mut Command::new("openssl")).output())
}
