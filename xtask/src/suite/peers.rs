//! The servers and tools of others that the tests run against. A missing one is an error, never a skip.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

/// What is needed and Debian's package of it.
const NEEDED: &[(Needed, &str)] = &[
    (Needed::Program("sshd"), "openssh-server"),
    (Needed::Program("ssh"), "openssh-client"),
    (Needed::Program("ssh-keygen"), "openssh-client"),
    // A device of software, and what OpenSSH's own tests need.
    (Needed::File("/usr/lib/openssh/regress/misc/sk-dummy/sk-dummy.so"), "openssh-tests"),
    (Needed::Program("dropbear"), "dropbear-bin"),
    (Needed::Program("curl"), "curl"),
    (Needed::Library("libnss_wrapper.so"), "libnss-wrapper"),
    (Needed::Program("python3"), "python3-venv"),
    // asyncssh takes UMAC from it, and goes without where it is missing.
    (Needed::Library("libnettle.so.8"), "libnettle8"),
    (Needed::Program("tinyproxy"), "tinyproxy-bin"),
    (Needed::Program("danted"), "dante-server"),
    (Needed::Program("microsocks"), "microsocks"),
    (Needed::Program("stunnel"), "stunnel4"),
    (Needed::Program("openssl"), "openssl"),
    (Needed::Program("nc"), "netcat-openbsd"),
    (Needed::Program("softhsm2-util"), "softhsm2"),
    (Needed::Program("pkcs11-tool"), "opensc"),
    (Needed::Program("gsettings"), "libglib2.0-bin"),
    (Needed::Program("krb5kdc"), "krb5-kdc"),
    (Needed::Program("kadmin.local"), "krb5-admin-server"),
    (Needed::Program("kinit"), "krb5-user"),
    (Needed::File(PROXY_SCHEMA), "gsettings-desktop-schemas"),
    (Needed::Program("pg_createcluster"), "postgresql"),
    // These make keys and stores in formats of their own.
    (Needed::Program("puttygen"), "putty-tools"),
    (Needed::Program("keytool"), "default-jre-headless"),
    (Needed::File("/usr/share/java/bcprov.jar"), "libbcprov-java"),
    (Needed::File("/usr/share/java/bcutil.jar"), "libbcutil-java"),
    // To build libssh's test server.
    (Needed::Program("dpkg-source"), "dpkg-dev"),
    (Needed::Program("cmake"), "cmake"),
    (Needed::File("/usr/include/cmocka.h"), "libcmocka-dev"),
    (Needed::File("/usr/include/openssl/ssl.h"), "libssl-dev"),
    (Needed::File("/usr/include/zlib.h"), "zlib1g-dev"),
];

enum Needed {
    Program(&'static str),
    Library(&'static str),
    File(&'static str),
}

/// What the desktop's settings of the proxy can be.
const PROXY_SCHEMA: &str = "/usr/share/glib-2.0/schemas/org.gnome.system.proxy.gschema.xml";

pub(super) fn check() -> Result<()> {
    let programs = program_directories(&std::env::var_os("PATH").unwrap_or_default());
    let libraries = library_directories();
    let mut missing = Vec::new();
    let mut packages = Vec::new();
    for (needed, package) in NEEDED {
        let (name, directories) = match needed {
            Needed::Program(name) => (name, &programs),
            Needed::Library(name) => (name, &libraries),
            // Joined to any directory, an absolute path stays what it is.
            Needed::File(path) => (path, &libraries),
        };
        if !is_in(directories, name) {
            missing.push(*name);
            packages.push(*package);
        }
    }
    packages.dedup();
    if missing.is_empty() {
        return Ok(());
    }
    bail!("not installed: {}; on Debian: apt-get install {}", missing.join(", "), packages.join(" "))
}

/// `PATH`, and where servers are, which is not in everyone's `PATH`.
fn program_directories(path: &OsStr) -> Vec<PathBuf> {
    std::env::split_paths(path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]).collect()
}

/// `/usr/lib` and, for Debian's multiarch, each directory in it.
fn library_directories() -> Vec<PathBuf> {
    let inside = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten().map(|entry| entry.path());
    inside.chain([PathBuf::from("/usr/lib")]).collect()
}

fn is_in(directories: &[PathBuf], name: &str) -> bool {
    directories.iter().any(|directory: &PathBuf| Path::is_file(&directory.join(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_looked_for_in_every_directory() {
        let directories = program_directories(OsStr::new("/nowhere:/bin"));
        assert!(is_in(&directories, "sh"));
        assert!(!is_in(&directories, "no-such-program"));
    }
}
