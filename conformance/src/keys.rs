//! Host keys and user keys, made by `ssh-keygen` once and shared by all tests.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::x509::{self, Authority};
use crate::{Failure, Result};

/// A type of key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// `ssh-ed25519`
    Ed25519,
    /// `ecdsa-sha2-nistp256`
    EcdsaP256,
    /// `ecdsa-sha2-nistp384`
    EcdsaP384,
    /// `ecdsa-sha2-nistp521`
    EcdsaP521,
    /// `ssh-rsa`, 3072 bits
    Rsa,
    /// `ssh-dss`, 1024 bits
    Dsa,
}

impl KeyType {
    /// Every type.
    pub const ALL: &[Self] =
        &[Self::Ed25519, Self::EcdsaP256, Self::EcdsaP384, Self::EcdsaP521, Self::Rsa, Self::Dsa];

    const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa256",
            Self::EcdsaP384 => "ecdsa384",
            Self::EcdsaP521 => "ecdsa521",
            Self::Rsa => "rsa",
            Self::Dsa => "dsa",
        }
    }

    const fn keygen_arguments(self) -> &'static [&'static str] {
        match self {
            Self::Ed25519 => &["-t", "ed25519"],
            Self::EcdsaP256 => &["-t", "ecdsa", "-b", "256"],
            Self::EcdsaP384 => &["-t", "ecdsa", "-b", "384"],
            Self::EcdsaP521 => &["-t", "ecdsa", "-b", "521"],
            Self::Rsa => &["-t", "rsa", "-b", "3072"],
            Self::Dsa => &["-t", "dsa"],
        }
    }
}

/// All key files, each in OpenSSH's format with its public half beside it.
#[derive(Debug)]
pub struct Keys {
    directory: PathBuf,
}

impl Keys {
    /// The keys, made when they do not exist yet.
    ///
    /// # Errors
    /// `ssh-keygen` is missing or failed.
    pub fn get() -> Result<&'static Self> {
        static KEYS: OnceLock<std::result::Result<Keys, String>> = OnceLock::new();
        let made = KEYS.get_or_init(|| Self::find_or_make().map_err(|failure| failure.to_string()));
        made.as_ref().map_err(Failure::new)
    }

    /// A private key of the servers.
    #[must_use]
    pub fn host(&self, key_type: KeyType) -> PathBuf {
        self.directory.join(format!("host-{}", key_type.name()))
    }

    /// A host key in dropbear's own format.
    #[must_use]
    pub fn dropbear_host(&self, key_type: KeyType) -> PathBuf {
        self.host(key_type).with_extension("dropbear")
    }

    /// The key that certifies the host keys.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.directory.join("authority")
    }

    /// The certificate of a host key, for 127.0.0.1 and for ever.
    #[must_use]
    pub fn host_certificate(&self, key_type: KeyType) -> PathBuf {
        self.directory.join(format!("host-{}-cert.pub", key_type.name()))
    }

    /// The root of the X.509 certificates.
    #[must_use]
    pub fn x509_root(&self) -> Authority {
        Authority::at(&self.directory, "x509-root")
    }

    /// The authority that certifies host keys, certified by the root.
    #[must_use]
    pub fn x509_between(&self) -> Authority {
        Authority::at(&self.directory, "x509-between")
    }

    /// The X.509 certificate of a host key other than the Ed25519 one, for 127.0.0.1, and that of the authority between it
    /// and the root.
    #[must_use]
    pub fn x509_host(&self, key_type: KeyType) -> PathBuf {
        self.directory.join(format!("host-{}-chain.pem", key_type.name()))
    }

    /// The X.509 certificate of a user's key other than the Ed25519 one, and that of the authority between it and the root.
    #[must_use]
    pub fn x509_user(&self, key_type: KeyType) -> PathBuf {
        self.directory.join(format!("user-{}-chain.pem", key_type.name()))
    }

    /// The X.509 certificates of the root and of the authority below it.
    #[must_use]
    pub fn x509_authorities(&self) -> PathBuf {
        self.directory.join("x509-authorities.pem")
    }

    /// What lets users in by their X.509 certificates, as the line of asyncssh's `authorized_keys`. The algorithm that it
    /// begins with does not matter.
    #[must_use]
    pub fn x509_authorized(&self) -> &'static str {
        "x509v3-rsa2048-sha256 subject=O=Tests\\, Inc.,CN=tess\n"
    }

    /// Certifies the public half of a key with other options of `ssh-keygen`, into this directory.
    ///
    /// # Errors
    /// `ssh-keygen` failed.
    pub fn certify(&self, private: &Path, options: &[&str], directory: &Path) -> Result<PathBuf> {
        let name = private.file_name().unwrap_or(OsStr::new("key")).to_string_lossy().into_owned();
        let copy = directory.join(format!("{name}.pub"));
        fs::copy(private.with_extension("pub"), &copy)?;
        certify(&self.authority(), options, &copy)?;
        Ok(directory.join(format!("{name}-cert.pub")))
    }

    /// A private key that the servers accept.
    #[must_use]
    pub fn user(&self, key_type: KeyType) -> PathBuf {
        self.directory.join(format!("user-{}", key_type.name()))
    }

    /// A private key that the servers accept, encrypted with [`PASSPHRASE`].
    #[must_use]
    pub fn encrypted(&self) -> PathBuf {
        self.directory.join("user-encrypted")
    }

    /// A private key that no server knows.
    #[must_use]
    pub fn stranger(&self) -> PathBuf {
        self.directory.join("stranger")
    }

    /// The public halves that servers accept, as the content of an `authorized_keys` file.
    ///
    /// # Errors
    /// A file cannot be read.
    pub fn authorized(&self) -> Result<String> {
        let users = KeyType::ALL.iter().map(|&key_type| self.user(key_type));
        users.chain([self.encrypted()]).map(|path| public_half(&path)).collect()
    }

    /// The same, and what lets users in by their X.509 certificates.
    #[must_use]
    pub fn authorized_with_x509(&self) -> PathBuf {
        self.directory.join("authorized-with-x509")
    }

    fn find_or_make() -> Result<Self> {
        let directory = target_directory().join("conformance").join(FORMAT);
        if !directory.exists() {
            make_in(&directory)?;
        }
        Ok(Self { directory })
    }

    fn make(&self) -> Result<()> {
        keygen(KeyType::Ed25519, "", &self.authority())?;
        let root = Authority::root(&self.directory, "x509-root")?;
        let between = root.authority(&self.directory, "x509-between", x509::CA)?;
        fs::write(self.x509_authorities(), root.certificate()? + &between.certificate()?)?;
        for &key_type in KeyType::ALL {
            keygen(key_type, "", &self.host(key_type))?;
            let public = self.host(key_type).with_extension("pub");
            certify(&self.authority(), &["-h", "-n", "127.0.0.1"], &public)?;
            // RFC 6187 has no name for the other, and ssh-keygen does not export it.
            if key_type != KeyType::Ed25519 {
                let certificate = between.certify(&self.host(key_type), "/O=Tests/CN=a host", x509::HOST)?;
                fs::write(self.x509_host(key_type), certificate + &between.certificate()?)?;
            }
            keygen(key_type, "", &self.user(key_type))?;
            if key_type != KeyType::Ed25519 {
                let certificate = between.certify(&self.user(key_type), x509::USER_SUBJECT, x509::USER)?;
                fs::write(self.x509_user(key_type), certificate + &between.certificate()?)?;
            }
            if key_type == KeyType::Dsa {
                // dropbear has lost it.
                continue;
            }
            let converted = Command::new("dropbearconvert")
                .args(["openssh", "dropbear"])
                .args([self.host(key_type), self.dropbear_host(key_type)])
                .output();
            succeeded("dropbearconvert", converted)?;
        }
        keygen(KeyType::Ed25519, PASSPHRASE, &self.encrypted())?;
        fs::write(self.authorized_with_x509(), self.authorized()? + self.x509_authorized())?;
        keygen(KeyType::Ed25519, "", &self.stranger())
    }
}

/// Opens [`Keys::encrypted`].
pub const PASSPHRASE: &str = "marmalade-51d7";

/// The line of a public key.
///
/// # Errors
/// The file cannot be read.
pub fn public_half(private: &Path) -> Result<String> {
    let path = private.with_extension("pub");
    fs::read_to_string(&path).map_err(|error| Failure::from(error).during(path.display()))
}

/// Where this workspace's build products go.
#[must_use]
pub fn target_directory() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => PathBuf::from(directory),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("target"),
    }
}

/// Test processes race for this. Each makes its keys aside; the first to be done puts them in place.
fn make_in(directory: &Path) -> Result<()> {
    let parent = directory.parent().expect("the directory was joined to a parent");
    fs::create_dir_all(parent)?;
    let aside = tempfile::tempdir_in(parent)?;
    Keys { directory: aside.path().to_owned() }.make()?;
    match fs::rename(aside.path(), directory) {
        Err(error) if !directory.exists() => Err(error.into()),
        _ => Ok(()),
    }
}

fn keygen(key_type: KeyType, passphrase: &str, path: &Path) -> Result<()> {
    let comment = path.file_name().unwrap_or(OsStr::new("key"));
    let made = Command::new("ssh-keygen")
        .arg("-q")
        .args(key_type.keygen_arguments())
        .args(["-N", passphrase, "-C"])
        .arg(comment)
        .arg("-f")
        .arg(path)
        .output();
    succeeded("ssh-keygen", made)
}

/// Puts the certificate beside the key.
fn certify(authority: &Path, options: &[&str], public: &Path) -> Result<()> {
    let mut keygen = Command::new("ssh-keygen");
    keygen.arg("-q").arg("-s").arg(authority).args(["-I", "a certificate"]).args(options).arg(public);
    succeeded("ssh-keygen", keygen.output())
}

pub(crate) fn succeeded(program: &str, output: std::io::Result<std::process::Output>) -> Result<()> {
    let output = output.map_err(|error| Failure::from(error).during(program))?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(String::from_utf8_lossy(&output.stderr)).during(program))
}

/// Names the directory; to be changed with what it holds, so that keys of an older suite are not used.
const FORMAT: &str = "keys-5";
