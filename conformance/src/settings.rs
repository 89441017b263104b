//! What `underpass -G` and `ssh -G` make of the same files.

mod generate;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::client::ClientKind;
use crate::{Failure, Result};

pub use generate::generated;

/// A configuration file, and what to ask about it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What the file is called in failures.
    pub name: String,
    /// The file. `@DIR@` stands for the directory where the files are that it includes.
    pub text: String,
    /// The destinations to ask for.
    pub hosts: Vec<String>,
    /// What else is on the command line.
    pub options: Vec<String>,
}

/// The cases that people wrote: the files in `conformance/ssh_config`. Comments in their first lines say which hosts
/// to ask for, and with which options.
///
/// # Errors
/// They cannot be read.
pub fn handwritten() -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    for path in files_in(&corpus())? {
        let text = fs::read_to_string(&path)?;
        let noted = |key: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key));
            line.map(split).unwrap_or_default()
        };
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        cases.push(Case { name, hosts: noted("hosts: "), options: noted("options: "), text });
    }
    Ok(cases)
}

/// Asks both programs for each host of a case.
///
/// # Errors
/// They differ in a keyword of [`COMPARED`], or one of them refuses the file.
pub fn compare(case: &Case) -> Result<()> {
    let scratch = parts(&case.text)?;
    let file = scratch.path().join("config");
    let mut differences = String::new();
    for host in &case.hosts {
        let mut options: Vec<String> = case.options.clone();
        options.push(host.clone());
        let ask = |kind, file: &Path| settings(kind, file, &options);
        let (ours, theirs) = (ask(ClientKind::Underpass, &file)?, ask(ClientKind::Ssh, &file)?);
        let none = Path::new("none");
        let (our_default, their_default) = (ask(ClientKind::Underpass, none)?, ask(ClientKind::Ssh, none)?);
        for compared in COMPARED {
            let of = |settings: &Settings| settings.get(compared.keyword).cloned().unwrap_or_default();
            let unset = of(&ours) == of(&our_default) && of(&theirs) == of(&their_default);
            let excused = match compared.when {
                When::Always => false,
                When::Set(_) => unset,
                When::Supported => !is_supported(compared.keyword)?,
            };
            if !excused && of(&ours) != of(&theirs) {
                let (keyword, ours, theirs) = (compared.keyword, of(&ours), of(&theirs));
                writeln!(differences, "{host}: {keyword}: underpass {ours:?}, ssh {theirs:?}")?;
            }
        }
    }
    match differences.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(format!("{}\n{differences}\n{}", case.name, case.text))),
    }
}

/// The values of each keyword, in order.
type Settings = BTreeMap<String, Vec<String>>;

/// Asks a program.
fn settings(kind: ClientKind, file: &Path, options: &[String]) -> Result<Settings> {
    let mut command = Command::new(kind.program()?);
    command.arg("-G").arg("-T").arg("-F").arg(file).args(options).env_clear();
    // Without HOME and USER both programs ask the list of users.
    command.env("PATH", "/usr/bin:/bin").env("SETTINGS_TEST", "/of/the/test");
    let output = command.output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(Failure::new(said).during(format_args!("{kind:?} {options:?} with {}", file.display())));
    }
    let mut settings = Settings::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        settings.entry(keyword.to_owned()).or_default().push(value.to_owned());
    }
    // Debian has ssh look for a dead server in batch mode; no case asks for that interval.
    if kind == ClientKind::Ssh && settings.get("batchmode").is_some_and(|batch| batch == &["yes"]) {
        let interval = settings.entry("serveraliveinterval".to_owned()).or_default();
        interval.iter_mut().filter(|seconds| *seconds == "300").for_each(|seconds| "0".clone_into(seconds));
    }
    Ok(settings)
}

/// Whether our command has the keyword at all.
fn is_supported(keyword: &str) -> Result<bool> {
    static HELP: OnceLock<std::result::Result<String, String>> = OnceLock::new();
    let help = HELP.get_or_init(|| {
        let program = ClientKind::Underpass.program().map_err(|failure| failure.to_string())?;
        let output = Command::new(program).arg("--help").output().map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&output.stdout).to_lowercase())
    });
    Ok(help.clone().map_err(Failure::new)?.contains(&format!("-o {keyword}=")))
}

/// A directory with the file of a case and all that it may include, where only the owner can write.
fn parts(text: &str) -> Result<TempDir> {
    let scratch = tempfile::tempdir()?;
    let directory = scratch.path().display().to_string();
    let write = |path: &Path, text: &str| -> Result<()> {
        fs::write(path, text.replace("@DIR@", &directory))?;
        Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
    };
    fs::create_dir(scratch.path().join("parts"))?;
    write(&scratch.path().join("config"), text)?;
    for part in files_in(&corpus().join("parts"))? {
        let name = part.file_name().unwrap_or_default();
        write(&scratch.path().join("parts").join(name), &fs::read_to_string(&part)?)?;
    }
    Ok(scratch)
}

fn files_in(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory)? {
        files.push(entry?.path());
    }
    files.retain(|path| path.is_file());
    files.sort();
    Ok(files)
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("ssh_config")
}

/// Words between spaces, of which `\ ` is none.
fn split(line: &str) -> Vec<String> {
    let line = line.replace("\\ ", "\0");
    line.split_whitespace().map(|word| word.replace('\0', " ")).collect()
}

/// A keyword in whose values the two may not differ.
#[derive(Debug)]
pub struct Compared {
    /// In lower case, as `-G` tells it.
    pub keyword: &'static str,
    /// When.
    pub when: When,
}

/// When a keyword is compared.
#[derive(Debug)]
pub enum When {
    /// Whatever the file says.
    Always,
    /// When the file or the command line sets it. The defaults differ, for this reason.
    Set(&'static str),
    /// As soon as our command has the keyword.
    Supported,
}

/// What is compared.
pub const COMPARED: &[Compared] = &[
    always("host"),
    always("user"),
    always("hostname"),
    always("port"),
    always("addressfamily"),
    always("batchmode"),
    always("certificatefile"),
    always("compression"),
    always("fingerprinthash"),
    always("gssapiauthentication"),
    always("gssapidelegatecredentials"),
    always("gssapikeyexchange"),
    always("hostkeyalias"),
    always("identitiesonly"),
    always("kbdinteractiveauthentication"),
    always("localforward"),
    always("loglevel"),
    always("numberofpasswordprompts"),
    always("passwordauthentication"),
    always("preferredauthentications"),
    always("pubkeyauthentication"),
    always("rekeylimit"),
    always("serveralivecountmax"),
    always("tcpkeepalive"),
    set("connecttimeout", "a tunnel that waits for ever helps nobody"),
    set("exitonforwardfailure", "a tunnel that carries nothing is a failure"),
    set("serveraliveinterval", "dead peers are found without being asked for"),
    set("stricthostkeychecking", "a tunnel often has nobody to ask"),
    set("identityfile", "files of types that are not supported are not looked for"),
    set("userknownhostsfile", "known_hosts2 is of the last century"),
    set("globalknownhostsfile", "known_hosts2 is of the last century"),
    set("ciphers", "each has its own"),
    set("macs", "each has its own"),
    set("kexalgorithms", "each has its own"),
    set("hostkeyalgorithms", "each has its own"),
    set("pubkeyacceptedalgorithms", "each has its own"),
    supported("bindaddress"),
    supported("clearallforwardings"),
    supported("dynamicforward"),
    supported("gatewayports"),
    supported("proxycommand"),
    supported("proxyjump"),
    supported("remoteforward"),
];

const fn always(keyword: &'static str) -> Compared {
    Compared { keyword, when: When::Always }
}

const fn set(keyword: &'static str, reason: &'static str) -> Compared {
    Compared { keyword, when: When::Set(reason) }
}

const fn supported(keyword: &'static str) -> Compared {
    Compared { keyword, when: When::Supported }
}
