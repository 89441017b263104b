//! Configuration files from a seed.

use underpass_testkit::entropy::SeededEntropy;

use super::Case;

/// A file made from a seed, the same one each time.
#[must_use]
pub fn generated(seed: u64) -> Case {
    let mut writer = Writer { dice: SeededEntropy::new(seed), text: String::new(), line_end: "\n" };
    if writer.chance(6) {
        writer.line_end = "\r\n";
    }
    writer.line("IgnoreUnknown Frob*");
    for _ in 0..4 {
        writer.setting("");
    }
    for _ in 0..6 {
        writer.block();
    }
    let hosts = HOSTS.iter().map(|host| (*host).to_owned()).collect();
    Case { name: format!("seed {seed}"), text: writer.text, hosts, options: Vec::new() }
}

struct Writer {
    dice: SeededEntropy,
    text: String,
    line_end: &'static str,
}

impl Writer {
    fn block(&mut self) {
        let header = match self.dice.below(3) {
            0 => format!("Match {}", self.pick(CRITERIA)),
            _ => {
                let patterns: Vec<&str> = (0..=self.dice.below(3)).map(|_| self.pick(PATTERNS)).collect();
                format!("Host {}", patterns.join(" "))
            }
        };
        self.line(&header);
        for _ in 0..self.dice.below(4) + 1 {
            self.setting("    ");
        }
        if self.chance(4) {
            let part = self.pick(PARTS);
            self.line(&format!("    Include @DIR@/parts/{part}"));
        }
    }

    /// A keyword and a value, spelled in one of the ways that there are.
    fn setting(&mut self, indent: &str) {
        let (keyword, values) = SETTINGS[self.below(SETTINGS.len())];
        let value = self.pick(values);
        let keyword = match self.dice.below(4) {
            0 => keyword.to_uppercase(),
            1 => keyword.to_lowercase(),
            _ => keyword.to_owned(),
        };
        let separator = self.pick(&[" ", " ", "\t", "=", " = ", "  "]);
        // ssh does not split ProxyJump into words.
        let quotable = !value.contains([' ', '"']) && keyword.to_lowercase() != "proxyjump";
        let value = match self.dice.below(6) {
            0 if quotable => format!("\"{value}\""),
            1 if quotable => format!("'{value}'"),
            _ => value.to_owned(),
        };
        // There ssh takes the comment for a part of the value, and `none` with one for a host.
        let whole = keyword.eq_ignore_ascii_case("ProxyJump");
        let comment = if !whole && self.chance(5) { " # Host *" } else { "" };
        self.line(&format!("{indent}{keyword}{separator}{value}{comment}"));
    }

    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push_str(self.line_end);
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.dice.below(bound as u64)).expect("it is below a usize")
    }

    /// True once in so many times.
    fn chance(&mut self, times: u64) -> bool {
        self.dice.below(times) == 0
    }
}

const HOSTS: &[&str] = &["web", "Web", "db.example.com", "10.0.0.5", "me@other"];

const PATTERNS: &[&str] = &[
    "web",
    "Web",
    "w?b",
    "*.example.com",
    "!db.example.com",
    "*",
    "!web",
    "10.0.*",
    "other",
    "!other",
    "\"db*\"",
    "we*b",
    "*b*",
    "10.0.0.1",
    "nobody",
];

const CRITERIA: &[&str] = &[
    "all",
    "host *.example.com",
    "host web,db.*",
    "!host web",
    "originalhost web,Web",
    "user root,deploy",
    "!user deploy",
    "user me originalhost other",
    "localuser *",
    "!localuser *",
    "final",
    "final host *.com",
    "!final",
    "canonical",
    "exec true",
    "!exec \"test %n = web\"",
    "exec \"test %r%p = me22\"",
    "host=web user=root",
    "host \"web,10.*\" # user nobody",
];

const PARTS: &[&str] = &["common.conf", "web*.conf", "nested.conf", "none.conf", "[mw]*.conf"];

/// Keywords, and values that both programs know.
const SETTINGS: &[(&str, &[&str])] = &[
    ("Port", &["22", "2222", "1", "65535"]),
    ("User", &["root", "deploy", "me", "d\\ e"]),
    ("HostName", &["%h.example.com", "10.0.0.1", "Web.Example.COM", "x-%h", "%%.%h", "2001:db8::1"]),
    ("HostKeyAlias", &["alias", "other.example"]),
    ("AddressFamily", &["any", "inet", "INET6"]),
    ("ConnectTimeout", &["5", "1m", "2h30m", "90s"]),
    ("ServerAliveInterval", &["0", "15", "1m30"]),
    ("ServerAliveCountMax", &["1", "9"]),
    ("TCPKeepAlive", &["yes", "no", "True"]),
    ("BatchMode", &["yes", "no", "false"]),
    ("StrictHostKeyChecking", &["yes", "no", "ask", "accept-new", "off", "ACCEPT-NEW"]),
    ("IdentityFile", &["~/.ssh/%r", "/keys/a", "/keys/b", "\"~/.ssh/a b\"", "none", "${SETTINGS_TEST}/k"]),
    (
        "CertificateFile",
        &["~/.ssh/%r-cert.pub", "/keys/a-cert.pub", "\"~/.ssh/a b-cert.pub\"", "/keys/a-cert.pub"],
    ),
    ("IdentitiesOnly", &["yes", "no"]),
    ("NumberOfPasswordPrompts", &["1", "2"]),
    ("PreferredAuthentications", &["publickey", "password,publickey", "keyboard-interactive"]),
    ("PubkeyAuthentication", &["yes", "no", "true"]),
    ("PasswordAuthentication", &["yes", "no"]),
    ("KbdInteractiveAuthentication", &["yes", "no"]),
    ("ChallengeResponseAuthentication", &["yes", "no"]),
    ("UserKnownHostsFile", &["/records/%h", "~/.ssh/kh_%h /records/b", "none", "\"/records/a b\" ~/%k"]),
    ("GlobalKnownHostsFile", &["/records/g", "/records/g /records/h", "none"]),
    ("Ciphers", &["aes128-ctr", "aes256-gcm@openssh.com,aes128-ctr"]),
    ("MACs", &["hmac-sha2-256", "hmac-sha2-512-etm@openssh.com,hmac-sha2-256"]),
    ("KexAlgorithms", &["curve25519-sha256", "ecdh-sha2-nistp256,curve25519-sha256"]),
    ("HostKeyAlgorithms", &["ssh-ed25519", "rsa-sha2-512,ssh-ed25519"]),
    ("PubkeyAcceptedKeyTypes", &["ssh-ed25519", "ecdsa-sha2-nistp256"]),
    ("RekeyLimit", &["1G", "64M 1h", "default none", "default 90"]),
    ("LogLevel", &["INFO", "verbose", "DEBUG", "DEBUG1", "DEBUG3", "QUIET", "ERROR"]),
    ("ExitOnForwardFailure", &["yes", "no"]),
    (
        "LocalForward",
        &["8080 web:80", "127.0.0.1:81 [::1]:80", "*:82 db:82", "8080 web:80", "[::1]:83 \"db:83\""],
    ),
    ("RemoteForward", &["8080 web:80", "127.0.0.1:81 [::1]:80", "*:82 db:82", "1080", "0 web:80"]),
    ("DynamicForward", &["1080", "127.0.0.1:1081", "[::1]:1082"]),
    ("ProxyJump", &["jump", "me@jump:2222", "a,b", "none"]),
    ("SendEnv", &["LANG", "LC_* A"]),
    ("ForwardX11", &["no"]),
    ("Compression", &["yes", "no"]),
    ("FingerprintHash", &["md5", "SHA256"]),
    ("Protocol", &["2"]),
    ("Frobnicate", &["1", "a b"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_makes_the_same_file_and_another_one_another() {
        assert_eq!(generated(1).text, generated(1).text);
        assert_ne!(generated(1).text, generated(2).text);
    }
}
