//! From words to [`Args`], by the rows of the table.

use std::{ffi::OsString, path::Path};

use lexopt::Arg;
use underpass::{Destination, Error, keys::SystemStore};
use underpass_wire::Untrusted;

use crate::{
    args::{Args, Command, KeySource, Verbosity},
    options::{Action, Group, Name, Row, all, closest},
};

/// Reads a command line, without the program's own name. What the files say can be added before it is finished.
pub(crate) fn read(words: impl IntoIterator<Item = OsString>) -> Result<Reader, Error> {
    let mut words = lexopt::Parser::from_args(words);
    let mut reader = Reader::default();
    while let Some(word) = words.next().map_err(unreadable)? {
        let (row, flag) = match word {
            Arg::Value(value) => {
                reader.positional(&value.string()?)?;
                continue;
            }
            Arg::Short(letter) => Row::with_flag(Short(letter)).ok_or_else(|| unknown_short(letter))?,
            Arg::Long(name) => Row::with_flag(Long(name)).ok_or_else(|| unknown_long(name))?,
        };
        let value = match flag.means {
            Some(value) => value.to_owned(),
            None => words.value().map_err(unreadable)?.string()?,
        };
        reader.option(row, &flag.name.to_string(), &value)?;
    }
    // `-v` says what LogLevel says in a file, and comes first.
    if reader.args.output.verbosity != Verbosity::default() {
        reader.seen.extend(Row::with_keyword("LogLevel"));
    }
    Ok(reader)
}

/// The arguments so far.
#[derive(Default)]
pub(crate) struct Reader {
    args: Args,
    /// Whether a positional argument has come.
    positional: bool,
    /// The rows that were set.
    seen: Vec<&'static Row>,
}

impl Reader {
    /// Sets a row; `spelling` is how it was written.
    fn option(&mut self, row: &'static Row, spelling: &str, value: &str) -> Result<(), Error> {
        if let Action::Keyword = row.action {
            return self.keyword(value);
        }
        self.set(row, value).map_err(|problem| {
            let joint = if spelling.starts_with("-o") { '=' } else { ' ' };
            usage(format!("{spelling}: {problem}"))
                .with_advice(format!("write, for example, `{spelling}{joint}{}`", row.example))
        })
    }

    /// Begins with a hop, of which the command line says nothing more.
    pub(crate) fn for_hop(hop: Destination, config_file: Option<String>) -> Result<Self, Error> {
        let mut reader = Self::default();
        reader.destination(hop)?;
        reader.args.config_file = config_file;
        Ok(reader)
    }

    /// The arguments so far.
    pub(crate) fn args(&self) -> &Args {
        &self.args
    }

    /// Sets a row to what a file says in a place, unless it is set already.
    pub(crate) fn setting(&mut self, place: &str, row: &'static Row, value: &str) -> Result<(), Error> {
        let keyword = row.keyword.unwrap_or_default();
        self.set(row, value).map_err(|problem| {
            usage(format!("{place}: {keyword}: {problem}"))
                .with_advice(format!("write there, for example, `{keyword} {}`", row.example))
        })
    }

    /// Sets a row if it is the first time, or each one counts.
    fn set(&mut self, row: &'static Row, value: &str) -> Result<(), String> {
        let Action::Set(set) = row.action else { return Ok(()) };
        // A value that does not count must still be right.
        let mut args = self.args.clone();
        set(&mut args, value)?;
        let first = !self.seen.iter().any(|seen| std::ptr::eq(*seen, row));
        if first || row.repeats {
            self.args = args;
            self.seen.push(row);
            if let Some(keyword) = row.keyword {
                self.args.given.entry(keyword).or_default().push(value.to_owned());
            }
        }
        Ok(())
    }

    /// Sets the row that `Keyword=value`, or `Keyword value`, names.
    fn keyword(&mut self, setting: &str) -> Result<(), Error> {
        let setting = setting.trim();
        let (keyword, value) = setting
            .split_once(|c: char| c == '=' || c.is_whitespace())
            .ok_or_else(|| usage(format!("-o takes Keyword=value, not {}", quoted(setting))))?;
        let value = value.trim_start();
        let value = value.strip_prefix('=').unwrap_or(value).trim();
        let row = Row::with_keyword(keyword).ok_or_else(|| unknown_keyword(keyword))?;
        self.option(row, &format!("-o {keyword}"), value)
    }

    fn positional(&mut self, word: &str) -> Result<(), Error> {
        let commands =
            [("demo", Command::Demo), ("algorithms", Command::Algorithms), ("keys", Command::Keys)];
        let command = commands.into_iter().find(|(name, _)| *name == word);
        match (self.positional, command) {
            (false, Some((_, command))) => self.args.command = command,
            (true, _) if self.args.command == Command::Keys => {
                self.args.operands.push(word.to_owned());
            }
            (false, None) => self.destination(word.parse()?)?,
            (true, _) => {
                let word = quoted(word);
                let problem =
                    format!("{word} follows the destination, and commands are not run on the server");
                return Err(usage(problem));
            }
        }
        self.positional = true;
        Ok(())
    }

    /// What the destination says of user and port counts like the flags: if it comes first.
    fn destination(&mut self, destination: Destination) -> Result<(), Error> {
        let parts =
            [("User", destination.user.clone()), ("Port", destination.port.map(|port| port.to_string()))];
        for (keyword, value) in parts {
            if let (Some(value), Some(row)) = (value, Row::with_keyword(keyword)) {
                self.option(row, "the destination", &value)?;
            }
        }
        self.args.destination = Some(destination);
        Ok(())
    }

    /// Finds what is missing, and what has no business there.
    pub(crate) fn finish(mut self) -> Result<Args, Error> {
        // As in ssh: what is said twice, perhaps in two files, is meant once.
        keep_first(&mut self.args.forwards.forwards);
        keep_first(&mut self.args.login.identity_files);
        keep_first(&mut self.args.login.certificate_files);
        keep_first(&mut self.args.login.host_key_files);
        if self.args.command == Command::Keys {
            key_source(&self.args.operands)?;
        }
        match self.args.command {
            Command::Help | Command::Version => {}
            Command::Demo | Command::Algorithms | Command::Keys => {
                if let Some(row) = self.seen.iter().find(|row| row.group != Group::Output) {
                    let spelling = row.spellings().swap_remove(0);
                    return Err(usage(format!("`{spelling}` has no meaning without a destination")));
                }
            }
            Command::Tunnel | Command::Settings if self.args.destination.is_none() => {
                return Err(usage("the destination, [user@]host, is missing".to_owned()));
            }
            Command::Tunnel | Command::Settings => {}
        }
        Ok(self.args)
    }
}

/// What `keys inspect FILE` and `keys list [STORE]` are about.
pub(crate) fn key_source(operands: &[String]) -> Result<KeySource<'_>, Error> {
    let operands: Vec<_> = operands.iter().map(String::as_str).collect();
    match operands[..] {
        ["inspect", file] => Ok(KeySource::File(Path::new(file))),
        ["list"] | ["list", "user"] => Ok(KeySource::Store(SystemStore::User)),
        ["list", "machine"] => Ok(KeySource::Store(SystemStore::Machine)),
        _ => Err(usage("`keys` takes `inspect` and one file, or `list` and `user` or `machine`".to_owned())
            .with_advice("write `underpass keys inspect FILE` or `underpass keys list`")),
    }
}

/// Takes out what is there already.
fn keep_first<T: PartialEq>(list: &mut Vec<T>) {
    let mut kept: Vec<T> = Vec::new();
    for item in list.drain(..) {
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    *list = kept;
}

fn unknown_short(letter: char) -> Error {
    usage(format!("there is no option {}", quoted(&format!("-{letter}"))))
}

fn unknown_long(name: &str) -> Error {
    let known = all().flat_map(|row| row.flags).filter_map(|flag| match flag.name {
        Name::Long(name) => Some(name),
        Name::Short(_) => None,
    });
    unknown("there is no option", &format!("--{name}"), closest(name, known).map(|name| format!("--{name}")))
}

fn unknown_keyword(keyword: &str) -> Error {
    let known = all().filter_map(|row| row.keyword);
    unknown("there is no setting", keyword, closest(keyword, known).map(str::to_owned))
}

fn unknown(what: &str, name: &str, closest: Option<String>) -> Error {
    let error = usage(format!("{what} {}", quoted(name)));
    match closest {
        Some(closest) => {
            error.with_advice(format!("did you mean `{closest}`? `underpass --help` lists all of them"))
        }
        None => error,
    }
}

fn unreadable(error: lexopt::Error) -> Error {
    match error {
        lexopt::Error::MissingValue { option: Some(option) } => {
            usage(format!("{} lacks its value", quoted(&option)))
        }
        lexopt::Error::UnexpectedValue { option, .. } => usage(format!("{} takes no value", quoted(&option))),
        error => usage(Untrusted(error.to_string().as_bytes()).to_string()),
    }
}

fn usage(problem: String) -> Error {
    Error::configuration(problem).with_advice(SEE_HELP)
}

fn quoted(text: &str) -> String {
    format!("`{}`", Untrusted(text.as_bytes()))
}

/// Text that is Unicode: destinations and settings are, and so must paths be here.
trait Text {
    fn string(self) -> Result<String, Error>;
}

impl Text for OsString {
    fn string(self) -> Result<String, Error> {
        self.into_string()
            .map_err(|word| usage(format!("{} is not Unicode", quoted(&word.to_string_lossy()))))
    }
}

struct Short(char);

impl PartialEq<Name> for Short {
    fn eq(&self, name: &Name) -> bool {
        *name == Name::Short(self.0)
    }
}

struct Long<'a>(&'a str);

impl PartialEq<Name> for Long<'_> {
    fn eq(&self, name: &Name) -> bool {
        matches!(name, Name::Long(name) if *name == self.0)
    }
}

/// What to do about a mistake of which nothing better is known.
pub const SEE_HELP: &str = "correct it; `underpass --help` lists all options";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use underpass::{AddressFamily, HostKeyPolicy};

    use super::*;

    fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Args, Error> {
        read(words)?.finish()
    }

    fn args(line: &str) -> Args {
        try_args(line).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    fn try_args(line: &str) -> Result<Args, Error> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    fn refusal(line: &str) -> String {
        let error = try_args(line).expect_err(line);
        format!("{error}; {}", error.advice().unwrap_or_default())
    }

    #[test]
    fn the_usual_command_line_is_understood() {
        let args = args("-L 127.0.0.1:5432:db:5432 -L 80:web:80 -p 2222 -l me -i key -N bastion");
        assert_eq!(args.destination.unwrap().host, "bastion");
        assert_eq!(args.forwards.forwards.len(), 2);
        assert_eq!(args.server.port, Some(2222));
        assert_eq!(args.login.user.as_deref(), Some("me"));
        assert_eq!(args.login.identity_files, ["key"]);
    }

    #[test]
    fn short_flags_combine_as_in_ssh() {
        let spread = args("-v -v -v -N -4 -L 1:a:2 -p 2222 bastion");
        assert_eq!(args("-vvvN4L1:a:2 -p2222 bastion"), spread);
        assert_eq!(args("-NL 1:a:2 -4vvvp 2222 bastion"), spread);
    }

    #[test]
    fn options_may_follow_the_destination_and_two_dashes_end_them() {
        let expected = args("-L 1:a:2 bastion");
        assert_eq!(args("bastion -L 1:a:2"), expected);
        assert_eq!(args("-L 1:a:2 -- bastion"), expected);
        assert!(refusal("-L 1:a:2 -- -bastion").contains("`-bastion` starts with a dash"));
    }

    #[test]
    fn each_row_means_the_same_in_every_spelling() {
        for row in all().filter(|row| !row.example.is_empty()) {
            let set = |words: &[&str]| {
                let all = words.iter().copied().chain(["-L", "1:a:2", "bastion"]);
                parse(all.map(OsString::from)).unwrap_or_else(|error| panic!("{words:?}: {error}"))
            };
            let unset = set(&[]);
            let flags = row.flags.iter().filter(|flag| flag.means.is_none());
            let mut spellings: Vec<Args> =
                flags.map(|flag| set(&[&flag.name.to_string(), row.example])).collect();
            if let Some(keyword) = row.keyword {
                let example = row.example;
                spellings.push(set(&["-o", &format!("{keyword}={example}")]));
                spellings.push(set(&["-o", &format!("{} {example}", keyword.to_uppercase())]));
                spellings.push(set(&["-o", &format!("{} = {example}", keyword.to_lowercase())]));
            }
            for args in &spellings {
                assert_eq!(*args, spellings[0], "{:?}", row.spellings());
                assert_ne!(*args, unset, "{:?} has no effect", row.spellings());
            }
        }
    }

    #[test]
    fn every_row_with_a_value_refuses_an_empty_one() {
        for row in all().filter(|row| row.keyword.is_some()) {
            let keyword = row.keyword.unwrap();
            let error = refusal(&format!("-L 1:a:2 -o {keyword}= bastion"));
            assert!(error.contains(&format!("-o {keyword}: ")), "{error}");
        }
    }

    #[test]
    fn a_row_without_repeats_is_decided_by_its_first_value() {
        let args =
            args("-L 1:a:2 -p 1 -o Port=2 -p 3 -o StrictHostKeyChecking=ask -o StrictHostKeyChecking=no x");
        assert_eq!(args.server.port, Some(1));
        assert_eq!(args.host_key.policy, Some(HostKeyPolicy::Ask));
    }

    #[test]
    fn user_and_port_in_the_destination_count_if_they_come_first() {
        let later = args("-L 1:a:2 -l you -p 1 me@bastion:2");
        assert_eq!((later.login.user.as_deref(), later.server.port), (Some("you"), Some(1)));
        let first = args("-L 1:a:2 me@bastion:2 -l you -p 1");
        assert_eq!((first.login.user.as_deref(), first.server.port), (Some("me"), Some(2)));
    }

    #[test]
    fn values_are_read_as_ssh_reads_them() {
        let line = "-L 1:a:2 -4 -o ConnectTimeout=1m -o ServerAliveInterval=0 -o RekeyLimit=default x";
        let args = args(line);
        assert_eq!(args.server.family, Some(AddressFamily::V4));
        assert_eq!(args.server.connect_timeout, Some(Duration::from_secs(60)));
        assert_eq!(args.liveness.interval, Some(Duration::ZERO));
        assert_eq!(args.liveness.rekey.unwrap().bytes, None);
    }

    #[test]
    fn a_local_forward_may_be_two_words_as_in_ssh_config() {
        let words = ["-o", "LocalForward=8080 web:80", "-o", "LocalForward *:81 [::1]:80", "x"];
        let args = parse(words.map(OsString::from)).unwrap();
        let forwards: Vec<String> = args.forwards.forwards.iter().map(ToString::to_string).collect();
        assert_eq!(forwards, ["-L 8080:web:80", "-L *:81:[::1]:80"]);
    }

    #[test]
    fn verbosity_goes_up_to_three_and_quiet_below_zero() {
        let verbosity = |flags: &str| args(&format!("{flags} -L 1:a:2 x")).output.verbosity;
        assert_eq!(verbosity("-vvvvv"), Verbosity(3));
        assert_eq!(verbosity("-q"), Verbosity::QUIET);
        assert_eq!(verbosity("-q -v"), Verbosity(1));
        assert_eq!(verbosity("-o LogLevel=debug2"), Verbosity(2));
    }

    #[test]
    fn unknown_names_are_answered_with_the_closest() {
        let wrong = [
            ("-o ServerAliveIntervall=1 x", "`ServerAliveIntervall`", "`ServerAliveInterval`"),
            ("-o stricthostkeychecks=yes x", "`stricthostkeychecks`", "`StrictHostKeyChecking`"),
            ("--jsn x", "`--jsn`", "`--json`"),
        ];
        for (line, named, closest) in wrong {
            let error = refusal(line);
            assert!(error.contains(named) && error.contains(closest), "{line}: {error}");
        }
        assert!(refusal("-Z x").contains("there is no option `-Z`"));
    }

    #[test]
    fn keywords_may_have_the_names_of_earlier_times() {
        let now = args("-o PubkeyAcceptedAlgorithms=ssh-rsa -L 1:a:2 x");
        let then = args("-o pubkeyacceptedkeytypes=ssh-rsa -L 1:a:2 x");
        assert_eq!(now, then);
    }

    #[test]
    fn what_is_wrong_is_said_with_what_was_expected() {
        let wrong = [
            ("", "the destination, [user@]host, is missing"),
            ("-L 1:a:2 bastion uptime", "`uptime` follows the destination"),
            (
                "-p http -L 1:a:2 x",
                "-p: expected a port from 1 to 65535, not `http`; write, for example, `-p 2222`",
            ),
            ("-o port=0 -L 1:a:2 x", "for example, `-o port=2222`"),
            ("-p", "`-p` lacks its value"),
            ("-L 80:db x", "-L: in the local forward `80:db`, 2 parts"),
            ("-o Port x", "-o takes Keyword=value, not `Port`"),
            ("-o BatchMode=maybe x", "-o BatchMode: expected one of yes, no"),
            (
                "-o PreferredAuthentications=passwd x",
                "expected one of gssapi-keyex, gssapi-with-mic, hostbased, publickey, keyboard-interactive, password",
            ),
            ("-o RekeyLimit=1T x", "expected an amount of data"),
            ("-o RekeyLimit=1G/1h x", "expected an amount of data"),
            ("-p 1 -p http -L 1:a:2 x", "-p: expected a port"),
            ("--json=yes x", "`--json` takes no value"),
            ("keys", "`keys` takes `inspect` and one file"),
            ("keys inspect a b", "`keys` takes `inspect` and one file"),
            ("keys list all", "or `list` and `user` or `machine`"),
            ("demo -p 22", "`-p PORT` has no meaning without a destination"),
        ];
        for (line, expected) in wrong {
            let error = refusal(line);
            assert!(error.contains(expected), "{line}: {error}");
        }
    }

    #[test]
    fn help_and_version_need_nothing_else() {
        assert_eq!(args("--help").command, Command::Help);
        assert_eq!(args("-V").command, Command::Version);
        assert_eq!(args("algorithms --json").command, Command::Algorithms);
        for line in ["keys inspect id", "keys list", "keys list machine"] {
            assert_eq!(args(line).command, Command::Keys, "{line}");
        }
    }

    #[test]
    fn control_characters_in_a_word_are_not_repeated_raw() {
        let error = parse([OsString::from("--\u{1b}[2J")]).unwrap_err();
        let error = format!("{error} {}", error.advice().unwrap_or_default());
        assert!(!error.contains('\u{1b}'), "{error}");
    }
}
