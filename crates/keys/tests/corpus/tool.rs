//! Running the programs of others.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// A directory that goes away.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let dir = dir.join(format!("corpus-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// A file in it with that content; secret, as ssh-keygen insists.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        use std::os::unix::fs::PermissionsExt as _;
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A directory left behind harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs `program` with words that are separated by spaces; `@` stands for the next of `paths`, and `''` for an empty
/// word.
pub(crate) fn run(program: &str, words: &str, paths: &[&Path], input: &[u8]) -> Vec<u8> {
    let mut paths = paths.iter();
    let mut command = Command::new(program);
    for word in words.split_whitespace() {
        match word {
            "@" => command.arg(paths.next().expect("a path for each @")),
            "''" => command.arg(""),
            word => command.arg(word),
        };
    }
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{program}: {error}"));
    // A program that wants no input may be gone already.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}{}", String::from_utf8_lossy(&output.stdout));
    output.stdout
}

/// The same for OpenSSL, with its old algorithms.
pub(crate) fn openssl(words: &str, paths: &[&Path], input: &[u8]) -> Vec<u8> {
    run("openssl", words, paths, input)
}

/// What makes OpenSSL do old things.
pub(crate) const LEGACY: &str = "-provider legacy -provider default";
