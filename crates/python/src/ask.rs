//! Questions that only a person, or the program, can answer.

use std::path::Path;

use pyo3::prelude::*;
use underpass::{HostKeyQuestion, Prompt, Prompter, Secret};

/// A question on the way to the server. Text from the server is in it as it came.
#[pyclass(frozen, module = "underpass._native", get_all)]
#[derive(Default)]
pub(crate) struct Question {
    /// `"password"`, `"passphrase"`, `"pin"`, `"prompt"`, `"new-password"` or `"host-key"`.
    kind: &'static str,
    /// What to show.
    text: String,
    /// The file, host, user or token that it is about.
    about: String,
    /// Counts from 1.
    attempt: u32,
    /// Whether the answer may be seen while it is typed.
    echo: bool,
    /// Of the host key: its fingerprint.
    fingerprint: Option<String>,
}

#[pymethods]
impl Question {
    fn __repr__(&self) -> String {
        format!("<Question {}: {:?}>", self.kind, self.text)
    }
}

/// Asks Python. It is called on a thread that may wait.
pub(crate) struct Asking(pub(crate) Py<PyAny>);

impl Asking {
    fn ask<T>(&self, question: Question, read: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Option<T> {
        Python::try_attach(|py| {
            let answer = self.0.bind(py).call1((question,));
            match answer.and_then(|answer| if answer.is_none() { Ok(None) } else { read(&answer).map(Some) })
            {
                Ok(answer) => answer,
                Err(error) => {
                    error.write_unraisable(py, Some(self.0.bind(py)));
                    None
                }
            }
        })
        .flatten()
    }

    fn secret(&self, question: Question) -> Option<Secret> {
        self.ask(question, |answer| Ok(Secret::from(answer.extract::<String>()?)))
    }
}

impl Prompter for Asking {
    fn password(&self, user: &str, host: &str, attempt: u32) -> Option<Secret> {
        let text = format!("password of {user} on {host}");
        self.secret(Question {
            kind: "password",
            text,
            about: host.to_owned(),
            attempt,
            ..Question::default()
        })
    }

    fn passphrase(&self, path: &Path, attempt: u32) -> Option<Secret> {
        let about = path.display().to_string();
        let text = format!("passphrase of the key {about}");
        self.secret(Question { kind: "passphrase", text, about, attempt, ..Question::default() })
    }

    fn pin(&self, token: &str, attempt: u32, last_try: bool) -> Option<Secret> {
        let warning = if last_try { " (the last try before it locks itself)" } else { "" };
        let text = format!("PIN of the token {token}{warning}");
        self.secret(Question { kind: "pin", text, about: token.to_owned(), attempt, ..Question::default() })
    }

    fn responses(&self, name: &str, instruction: &str, prompts: &[Prompt]) -> Option<Vec<Secret>> {
        let about =
            [name, instruction].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("\n");
        let asked = prompts.iter().map(|Prompt { text, echo }| {
            let (text, about) = (text.clone(), about.clone());
            self.secret(Question { kind: "prompt", text, about, attempt: 1, echo: *echo, fingerprint: None })
        });
        asked.collect()
    }

    fn new_password(&self, prompt: &str) -> Option<Secret> {
        let text = prompt.to_owned();
        self.secret(Question { kind: "new-password", text, attempt: 1, ..Question::default() })
    }

    fn accept_host_key(&self, question: &HostKeyQuestion) -> bool {
        let HostKeyQuestion { host, key_type, fingerprint, .. } = question;
        let text =
            format!("the {key_type} key {fingerprint} of {host} is not on record; is it the right one?");
        let fingerprint = Some(fingerprint.clone());
        let question =
            Question { kind: "host-key", text, about: host.clone(), attempt: 1, echo: true, fingerprint };
        // Only a plain True: a text such as "no" is no consent.
        self.ask(question, |answer| Ok(answer.extract::<bool>().unwrap_or(false))).unwrap_or(false)
    }
}
