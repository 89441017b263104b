//! `-G`: the settings that the command line and the files come to, in the form of `ssh -G`.
//!
//! ssh writes some values differently from how they are set. [`FORMATS`] says how; a keyword of the table that is not
//! there is written as it is.

use std::{collections::BTreeSet, fmt::Write as _};

use underpass::{Cryptography, Error, KeyUri, Named, Provider, default_identity_files, select};
use underpass_config::{Surroundings, words};

use crate::{
    args::Args,
    options::{Row, all},
    paths::Paths,
    resolve, values,
};

/// All settings, one `keyword value` a line: user, host and port first, the others in the order of the table.
///
/// # Errors
/// Something in the host or a path cannot be replaced.
pub(crate) fn effective(args: &Args, machine: &dyn Surroundings) -> Result<String, Error> {
    let paths = Paths::new(args, machine)?;
    let named = args.destination.as_ref().map(|destination| destination.host.clone());
    let user = args.login.user.clone().or_else(|| machine.local().user.clone());
    let whose = args.protocol.cryptography.unwrap_or_default();
    let mut out = Lines::default();
    out.line("host", named);
    out.line("user", user);
    out.line("hostname", Some(resolve::host(args)?));
    out.line("port", Some(args.server.port.unwrap_or(22).to_string()));
    for row in all() {
        let Some(keyword) = row.keyword else { continue };
        let given = args.given.get(keyword).map_or(&[][..], Vec::as_slice);
        let format = FORMATS.iter().find(|(name, _)| *name == keyword).map_or(Format::Word, |row| row.1);
        let keyword = keyword.to_ascii_lowercase();
        for value in format.values(row, given, &paths, whose)? {
            out.line(&keyword, Some(value));
        }
    }
    Ok(out.text)
}

/// Lines, no two of which are the same.
#[derive(Default)]
struct Lines {
    text: String,
    lines: BTreeSet<String>,
}

impl Lines {
    fn line(&mut self, keyword: &str, value: Option<String>) {
        let Some(value) = value else { return };
        let line = format!("{keyword} {value}");
        if self.lines.insert(line.clone()) {
            writeln!(self.text, "{line}").expect("writing to a string does not fail");
        }
    }
}

/// How ssh writes the value of a keyword.
#[derive(Clone, Copy)]
enum Format {
    /// The words as they are.
    Word,
    /// By a function, which refuses what is no such value, like the prose that some defaults are.
    By(fn(&str) -> Option<String>),
    /// Names of algorithms, as a list that was given makes them.
    Algorithms(fn(Cryptography, Option<String>) -> Result<String, Error>),
    /// The files of this keyword, their names completed.
    Files(&'static str),
    /// The parts of a limit, each from the first value that has it.
    Rekey,
    /// Private keys, each on a line of its own and as it is written.
    Identities,
    /// Elsewhere already.
    Told,
}

impl Format {
    fn values(
        self,
        row: &Row,
        given: &[String],
        paths: &Paths<'_>,
        whose: Cryptography,
    ) -> Result<Vec<String>, Error> {
        let value = given.first().map_or(row.default, String::as_str);
        Ok(match self {
            Self::Told => Vec::new(),
            Self::Word => given.iter().map(|value| unquoted(value)).collect(),
            Self::By(write) if given.is_empty() => write(row.default).into_iter().collect(),
            Self::By(write) => given.iter().filter_map(|value| write(value)).collect(),
            Self::Algorithms(chosen) => vec![chosen(whose, given.first().map(|value| unquoted(value)))?],
            Self::Files(keyword) => {
                let files = paths.all(keyword, &words(value).unwrap_or_default())?;
                let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                vec![if files.is_empty() { "none".to_owned() } else { files.join(" ") }]
            }
            Self::Rekey => rekey_limit(given).into_iter().collect(),
            Self::Identities if given.is_empty() => {
                default_identity_files().iter().map(|file| file.display().to_string()).collect()
            }
            Self::Identities => given.iter().map(|value| KeyUri::without_pin(&unquoted(value))).collect(),
        })
    }
}

/// The words of a value without their quotes, which cannot be told from blanks then. ssh does the same.
fn unquoted(value: &str) -> String {
    words(value).map_or_else(|_| value.to_owned(), |words| words.join(" "))
}

/// A way to the server that is not split into words; `none` is no way.
fn way(value: &str) -> Option<String> {
    (!value.is_empty() && !value.eq_ignore_ascii_case("none")).then(|| value.to_owned())
}

fn flag(value: &str) -> Option<String> {
    values::yes_no(&unquoted(value)).ok().map(|yes| if yes { "yes" } else { "no" }.to_owned())
}

/// ssh writes the first word in its list that means the same, and here that is not `yes`.
fn flag_as_true(value: &str) -> Option<String> {
    values::yes_no(&unquoted(value)).ok().map(|yes| yes.to_string())
}

fn host_key_policy(value: &str) -> Option<String> {
    let value = unquoted(value).to_ascii_lowercase();
    Some(match value.as_str() {
        "off" => "false".to_owned(),
        _ => flag_as_true(&value).unwrap_or(value),
    })
}

fn lower_case(value: &str) -> Option<String> {
    Some(unquoted(value).to_ascii_lowercase())
}

fn seconds(value: &str) -> Option<String> {
    values::time(&unquoted(value)).ok().map(|time| time.as_secs().to_string())
}

fn number(value: &str) -> Option<String> {
    values::count(&unquoted(value)).ok().map(|number| number.to_string())
}

/// ssh has two names for two of its levels.
fn log_level(value: &str) -> Option<String> {
    let level = unquoted(value).to_ascii_uppercase();
    Some(match level.as_str() {
        "QUIET" => "SILENT".to_owned(),
        "DEBUG1" => "DEBUG".to_owned(),
        _ => level,
    })
}

fn rekey_limit(given: &[String]) -> Option<String> {
    let limits: Vec<Vec<String>> = given.iter().filter_map(|value| words(value).ok()).collect();
    let amount = match limits.first().and_then(|limit| limit.first()).map(String::as_str) {
        None | Some("default") => 0,
        Some(amount) => values::bytes(amount).ok()?,
    };
    let time = limits.iter().filter_map(|limit| limit.get(1)).find(|time| *time != "none");
    let seconds = time.map_or(Some(0), |time| values::time(time).ok().map(|time| time.as_secs()))?;
    Some(format!("{amount} {seconds}"))
}

/// `bind:port:host:hostport` with the addresses in brackets, and a space between what listens and the target. Without
/// a target it is a SOCKS server.
fn forward(value: &str) -> Option<String> {
    let fields = fields(&words(value).ok()?.join(":"))?;
    let (listen, target) = match fields.len() {
        1 | 2 => (fields.as_slice(), &[][..]),
        length => fields.split_at_checked(length - 2)?,
    };
    let listen = address(listen)?;
    Some(match target {
        [] => format!("{listen} [socks]:0"),
        target => format!("{listen} {}", address(target)?),
    })
}

/// `bind:port` with the address in brackets.
fn dynamic_forward(value: &str) -> Option<String> {
    address(&fields(&unquoted(value))?)
}

fn address(fields: &[String]) -> Option<String> {
    match fields {
        [port] => Some(port.parse::<u16>().ok()?.to_string()),
        [host, port] => Some(format!("[{host}]:{}", port.parse::<u16>().ok()?)),
        _ => None,
    }
}

/// The parts between colons outside of brackets.
fn fields(text: &str) -> Option<Vec<String>> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let (field, after) = match rest.strip_prefix('[') {
            Some(inner) => inner.split_once(']')?,
            None => rest.split_at(rest.find(':').unwrap_or(rest.len())),
        };
        fields.push(field.to_owned());
        match after.strip_prefix(':') {
            Some(next) => rest = next,
            None => return after.is_empty().then_some(fields),
        }
    }
}

/// The list itself, or what it makes of the defaults; as it is where that is a mistake, which opening the tunnel tells.
fn algorithms<T: Named>(default: &[&'static T], all: &[&'static T], list: Option<String>) -> String {
    let names = |chosen: &[&'static T]| {
        let names: Vec<_> = chosen.iter().map(|algorithm| algorithm.name()).collect();
        names.join(",")
    };
    match list {
        None => names(default),
        Some(list) if !list.starts_with(['+', '-', '^']) => list,
        Some(list) => select(default, all, &list).map_or(list, |chosen| names(&chosen)),
    }
}

/// What users, and hosts that vouch for them, sign with.
const OF_USERS: Format = Format::Algorithms(|whose, list| {
    let (default, all) = whose.user_signatures()?;
    Ok(algorithms(&default, &all, list))
});

/// Those of one kind.
fn of<T: Named>(
    whose: Cryptography,
    list: Option<String>,
    kind: fn(&Provider) -> &'static [&'static T],
) -> Result<String, Error> {
    let (default, all) = whose.providers()?;
    Ok(algorithms(kind(&default), kind(&all), list))
}

/// How the values of keywords are written, where it is not as they are.
const FORMATS: &[(&str, Format)] = &[
    ("User", Format::Told),
    ("HostName", Format::Told),
    ("Port", Format::Told),
    ("LocalForward", Format::By(forward)),
    ("RemoteForward", Format::By(forward)),
    ("DynamicForward", Format::By(dynamic_forward)),
    ("ExitOnForwardFailure", Format::By(flag)),
    ("GatewayPorts", Format::By(flag)),
    ("ClearAllForwardings", Format::By(flag)),
    ("ProxyCommand", Format::By(way)),
    ("ProxyJump", Format::By(way)),
    ("AddressFamily", Format::By(lower_case)),
    ("ConnectTimeout", Format::By(seconds)),
    ("IdentityFile", Format::Identities),
    ("IdentitiesOnly", Format::By(flag)),
    ("IdentityAgent", Format::By(|value| Some(unquoted(value)))),
    ("PKCS11Provider", Format::By(|value| Some(unquoted(value)))),
    ("BatchMode", Format::By(flag)),
    ("NumberOfPasswordPrompts", Format::By(number)),
    ("PubkeyAuthentication", Format::By(flag_as_true)),
    ("PasswordAuthentication", Format::By(flag)),
    ("KbdInteractiveAuthentication", Format::By(flag)),
    ("HostbasedAuthentication", Format::By(flag)),
    ("GSSAPIAuthentication", Format::By(flag)),
    ("GSSAPIKeyExchange", Format::By(flag)),
    ("GSSAPIDelegateCredentials", Format::By(flag)),
    ("StrictHostKeyChecking", Format::By(host_key_policy)),
    ("FingerprintHash", Format::By(|value| Some(unquoted(value).to_ascii_uppercase()))),
    ("UserKnownHostsFile", Format::Files("UserKnownHostsFile")),
    ("GlobalKnownHostsFile", Format::By(|value| Some(unquoted(value)))),
    ("Ciphers", Format::Algorithms(|whose, list| of(whose, list, |it| it.ciphers))),
    ("MACs", Format::Algorithms(|whose, list| of(whose, list, |it| it.macs))),
    ("KexAlgorithms", Format::Algorithms(|whose, list| of(whose, list, |it| it.kex))),
    ("HostKeyAlgorithms", Format::Algorithms(|whose, list| of(whose, list, |it| it.signatures))),
    ("PubkeyAcceptedAlgorithms", OF_USERS),
    ("HostbasedAcceptedAlgorithms", OF_USERS),
    ("Compression", Format::By(flag)),
    ("ServerAliveInterval", Format::By(seconds)),
    ("ServerAliveCountMax", Format::By(number)),
    ("TCPKeepAlive", Format::By(flag)),
    ("RekeyLimit", Format::Rekey),
    ("LogLevel", Format::By(log_level)),
];

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{machine::fake::Fake, parse::read};

    fn told(words: &[&str]) -> Vec<String> {
        let args = read(words.iter().chain(&["-G", "Web"]).map(OsString::from)).unwrap().finish().unwrap();
        effective(&args, &Fake::new()).unwrap().lines().map(str::to_owned).collect()
    }

    fn of(words: &[&str], keyword: &str) -> Vec<String> {
        let told = told(words).into_iter();
        told.filter_map(|line| line.strip_prefix(keyword)?.strip_prefix(' ').map(str::to_owned)).collect()
    }

    #[test]
    fn host_user_and_port_come_first() {
        assert_eq!(told(&[])[..4], ["host Web", "user me", "hostname web", "port 22"]);
        let set = told(&["-p", "1", "-l", "you", "-o", "HostName=%h.example.com"]);
        assert_eq!(set[..4], ["host Web", "user you", "hostname web.example.com", "port 1"]);
    }

    #[test]
    fn every_default_that_is_a_value_is_told() {
        for (keyword, value) in [
            ("addressfamily", "any"),
            ("batchmode", "no"),
            ("connecttimeout", "30"),
            ("exitonforwardfailure", "yes"),
            ("loglevel", "INFO"),
            ("pubkeyauthentication", "true"),
            ("rekeylimit", "0 0"),
            ("serveraliveinterval", "15"),
            ("stricthostkeychecking", "true"),
            ("userknownhostsfile", "/home/me/.ssh/known_hosts"),
        ] {
            assert_eq!(of(&[], keyword), [value], "{keyword}");
        }
    }

    #[test]
    fn values_are_written_as_ssh_writes_them() {
        for (option, keyword, value) in [
            ("StrictHostKeyChecking=off", "stricthostkeychecking", "false"),
            ("StrictHostKeyChecking=Accept-New", "stricthostkeychecking", "accept-new"),
            ("RekeyLimit=1M 1h", "rekeylimit", "1048576 3600"),
            ("LogLevel=debug1", "loglevel", "DEBUG"),
            ("GlobalKnownHostsFile=none", "globalknownhostsfile", "none"),
            ("UserKnownHostsFile=\"~/a b\" %h", "userknownhostsfile", "/home/me/a b web"),
            ("LocalForward=[::1]:1 [::2]:3", "localforward", "[::1]:1 [::2]:3"),
            ("LocalForward=1 a:3", "localforward", "1 [a]:3"),
            ("Ciphers=aes*", "ciphers", "aes*"),
            ("HostKeyAlias=\"a\"", "hostkeyalias", "a"),
        ] {
            assert_eq!(of(&["-o", option], keyword), [value], "{option}");
        }
        assert_eq!(dynamic_forward("[::1]:1080").unwrap(), "[::1]:1080");
        assert_eq!(forward("8080").unwrap(), "8080 [socks]:0");
    }

    #[test]
    fn what_is_given_twice_is_told_once() {
        let words =
            ["-i", "a", "-i", "~/b", "-o", "IdentityFile=a", "-L", "1:a:2", "-o", "LocalForward=1 a:2"];
        assert_eq!(of(&words, "identityfile"), ["a", "~/b"]);
        assert_eq!(of(&words, "localforward"), ["1 [a]:2"]);
    }

    #[test]
    fn pins_are_not_told() {
        let told = of(&["-i", "pkcs11:id=%01?pin-value=4321&module-path=/x.so"], "identityfile");
        assert_eq!(told, ["pkcs11:id=%01?pin-value=...&module-path=/x.so"]);
    }

    #[test]
    fn lists_of_algorithms_are_told_as_what_they_come_to() {
        let all = of(&[], "ciphers").swap_remove(0);
        assert_eq!(of(&["-c", "+aes128-ctr"], "ciphers").swap_remove(0), all);
        assert!(!of(&["-c", "-aes128*"], "ciphers")[0].contains("aes128"));
        let front = of(&["-c", "^aes256-ctr"], "ciphers").swap_remove(0);
        assert!(front.starts_with("aes256-ctr,") && front.len() == all.len(), "{front}");
        assert_eq!(of(&["-c", "+3des-cbc"], "ciphers"), [format!("{all},3des-cbc")]);
    }
}
