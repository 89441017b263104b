//! The machine that the command runs on, for the files of ssh_config and what stands in them.

#[cfg(test)]
pub(crate) mod fake;

use std::{
    env,
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use underpass_config::{Care, Local, MAX_FILE_LEN, Surroundings};

/// Files, commands, variables and users as they really are.
#[derive(Debug)]
pub(crate) struct Machine {
    local: Local,
}

impl Machine {
    /// Looks around.
    pub(crate) fn new() -> Self {
        let uid = uid();
        let home = env::home_dir().filter(|home| !home.as_os_str().is_empty());
        let named =
            USER_VARIABLES.iter().find_map(|name| env::var(name).ok().filter(|user| !user.is_empty()));
        let user = named
            .or_else(|| account(|account| account.uid.parse().ok() == uid && uid.is_some()).map(|it| it.0));
        Self { local: Local { home, user, uid, host: underpass::this_host() } }
    }
}

impl Surroundings for Machine {
    fn local(&self) -> &Local {
        &self.local
    }

    fn read(&self, path: &Path, care: Care) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Ok(None);
        }
        if care == Care::OwnerOnly {
            check_owner(&metadata, self.local.uid)?;
        }
        let mut content = Vec::new();
        file.take(MAX_FILE_LEN as u64 + 1).read_to_end(&mut content)?;
        Ok(Some(content))
    }

    fn entries(&self, directory: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(directory).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.ok()?.file_name())).collect()
    }

    fn run(&self, command: &str) -> bool {
        let (shell, flag) = shell();
        let mut process = Command::new(shell);
        process.arg(flag).arg(command).stdin(Stdio::null()).stdout(Stdio::null());
        process.status().is_ok_and(|status| status.success())
    }

    fn variable(&self, name: &str) -> Option<String> {
        // The system refuses names with these, by a panic.
        if name.contains(['=', '\0']) { None } else { env::var(name).ok() }
    }

    fn home_of(&self, user: &str) -> Option<PathBuf> {
        account(|account| account.name == user).map(|(_, home)| home)
    }
}

/// A line of the list of users.
struct Account<'a> {
    name: &'a str,
    uid: &'a str,
}

/// Name and home directory of the first user of the machine's own list who is wanted.
fn account(wanted: impl Fn(&Account<'_>) -> bool) -> Option<(String, PathBuf)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, _, _, home, ..] = fields.as_slice() else { return None };
        wanted(&Account { name, uid }).then(|| ((*name).to_owned(), PathBuf::from(home)))
    })
}

#[cfg(unix)]
fn uid() -> Option<u32> {
    Some(rustix::process::getuid().as_raw())
}

#[cfg(not(unix))]
fn uid() -> Option<u32> {
    None
}

#[cfg(unix)]
fn shell() -> (OsString, &'static str) {
    (env::var_os("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "/bin/sh".into()), "-c")
}

#[cfg(not(unix))]
fn shell() -> (OsString, &'static str) {
    ("cmd".into(), "/C")
}

/// What such a file says can have commands run, so nobody else may have written it.
#[cfg(unix)]
fn check_owner(metadata: &fs::Metadata, uid: Option<u32>) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if metadata.uid() != 0 && Some(metadata.uid()) != uid {
        return Err(io::Error::other("it belongs to another user"));
    }
    if metadata.mode() & 0o022 != 0 {
        return Err(io::Error::other("others can write to it"));
    }
    Ok(())
}

/// Elsewhere permissions are not in the file's mode.
#[cfg(not(unix))]
fn check_owner(_: &fs::Metadata, _: Option<u32>) -> io::Result<()> {
    Ok(())
}

/// Where login programs leave the user's name; the last is Windows'.
const USER_VARIABLES: [&str; 3] = ["LOGNAME", "USER", "USERNAME"];

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_that_others_can_write_to_is_refused_where_that_matters() {
        let path = env::temp_dir().join(format!("underpass-machine-{}", std::process::id()));
        let machine = Machine::new();
        assert_eq!(machine.read(&path, Care::OwnerOnly).unwrap(), None, "it is not there yet");
        fs::write(&path, "User a\n").unwrap();
        for (mode, trusted) in [(0o600, true), (0o644, true), (0o620, false), (0o602, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(machine.read(&path, Care::OwnerOnly).is_ok(), trusted, "{mode:o}");
            assert_eq!(machine.read(&path, Care::Any).unwrap().unwrap(), b"User a\n");
        }
        fs::remove_file(&path).unwrap();
        assert_eq!(machine.read(&env::temp_dir(), Care::Any).unwrap(), None, "a directory is no file");
    }

    #[test]
    fn commands_are_run_by_a_shell() {
        let machine = Machine::new();
        assert!(machine.run("test a = a && exit 0"));
        assert!(!machine.run("exit 3"));
    }

    #[test]
    fn a_name_that_no_variable_can_have_has_no_value() {
        assert_eq!(Machine::new().variable("A=B"), None);
    }
}
