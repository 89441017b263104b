//! The way to the next credential, where somebody else has to be asked.

use std::sync::{Arc, Mutex};

use underpass_proto::{Credential, HostProof};

use super::{Logon, Next};
use crate::blocking::{QUESTION, elsewhere, lock};
use crate::gss::Gss;
use crate::{Settings, agent};

/// Goes through what takes a person, a KDC or the agent until there is something to offer. What blocks does so on a thread
/// of its own; one that panics has found nothing.
pub(crate) async fn find_credential(
    settings: Arc<Settings>,
    logon: Arc<Mutex<Logon>>,
    gss: Arc<Mutex<Gss>>,
    server: Option<Arc<HostProof>>,
    mut next: Next,
) -> Credential {
    loop {
        let found = match next {
            Next::Offer(credential) => return credential,
            Next::AskAgent(files) => {
                let keys = agent::candidates(&settings, &files, server.clone()).await;
                Some(lock(&logon).agent_asked(keys))
            }
            Next::AskPassword(attempt) => {
                let (settings, logon) = (settings.clone(), logon.clone());
                elsewhere(QUESTION, move || {
                    let user = lock(&logon).user.clone();
                    match settings.prompter().password(&user, &settings.host, attempt) {
                        Some(password) => lock(&logon).password_given(password),
                        None => lock(&logon).no_password(),
                    }
                })
                .await
            }
            Next::BeginKerberos => {
                let (gss, logon) = (gss.clone(), logon.clone());
                elsewhere(QUESTION, move || {
                    let begun = lock(&gss).begin_logon();
                    lock(&logon).kerberos_begun(begun)
                })
                .await
            }
        };
        match found {
            Some(found) => next = found,
            None => return Credential::GiveUp,
        }
    }
}
