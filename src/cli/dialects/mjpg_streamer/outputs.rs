//! Outputs: all of them together become one server.

use super::super::draft::{TYPED_PASSWORD, bind};
use super::super::set_page;
use super::{Draft, Kind, Plugin};

type Assignments = Vec<(&'static str, String)>;

/// The outputs so far.
#[derive(Default)]
pub(super) struct Outputs {
    server: Assignments,
    /// Options of all cameras.
    cameras: Assignments,
    users: Vec<(String, String)>,
    notes: Vec<String>,
    /// Ports, and whether each wants a login.
    ports: Vec<(String, bool)>,
}

impl Outputs {
    /// Adds an output.
    ///
    /// # Errors
    /// What cannot be had, and what to do instead.
    pub(super) fn add(&mut self, plugin: &Plugin, draft: Draft) -> Result<(), String> {
        match plugin.kind {
            Kind::Listener => self.listen(draft),
            Kind::Files => self.record(draft),
            _ => Err("this is no output".into()),
        }
    }

    fn listen(&mut self, mut draft: Draft) -> Result<(), String> {
        let port = draft.kept("port").unwrap_or("8080").to_owned();
        self.server.push(("bind", bind(draft.kept("listen").unwrap_or_default(), &port)));
        if let Some(login) = draft.kept("credentials") {
            // The text is not repeated, as messages are published.
            let (user, password) = login.split_once(':').ok_or("-c: use USER:PASSWORD")?;
            let user = (user.to_owned(), password.to_owned());
            if !self.users.contains(&user) {
                self.users.push(user);
            }
        }
        self.ports.push((port, draft.kept("credentials").is_some()));
        if draft.kept("nocommands").is_some() {
            // Of all ports, as the controls are those of the cameras.
            self.server.retain(|(key, _)| *key != "lock-controls");
            self.server.push(("lock-controls", "true".into()));
        }
        if let Some(dir) = draft.kept("www").map(str::to_owned) {
            set_page(&mut draft, "-w", dir);
        }
        self.notes.append(&mut draft.notes);
        for (key, value) in draft.server {
            match self.server.iter().find(|(known, _)| known == &key) {
                Some((_, first)) if *first != value => {
                    self.notes.push(format!("-w {value}: all ports show the page of {first}"));
                }
                Some(_) => {}
                None => self.server.push((key, value)),
            }
        }
        Ok(())
    }

    fn record(&mut self, draft: Draft) -> Result<(), String> {
        if self.cameras.iter().any(|(key, _)| *key == "record") {
            return Err("mjpegd records into one folder; leave one of them out".into());
        }
        let folder = draft.kept("folder").unwrap_or("/tmp").to_owned();
        let ms = draft.kept("delay").and_then(|ms| ms.parse::<f64>().ok()).filter(|ms| *ms > 0.0);
        if let Some(ms) = ms {
            let fps = (1000.0 / ms).clamp(0.0001, 1000.0);
            self.cameras.push(("record-fps", fps.to_string()));
        }
        self.notes.push(format!(
            "output_file: {folder} gets a recording, not a file for each picture; \
             mjpegd grab saves single pictures"
        ));
        self.notes.extend(draft.notes);
        self.cameras.push(("record", folder));
        Ok(())
    }

    /// Options of the server and of all cameras, users, and lines for the log.
    pub(super) fn finish(
        mut self,
    ) -> (Assignments, Assignments, Vec<(String, String)>, Vec<String>) {
        if self.ports.is_empty() {
            // Nothing listens there either, but this program always does.
            self.server.push(("bind", "127.0.0.1:0".into()));
        }
        let open = self.ports.iter().find(|(_, has_login)| !has_login);
        if let (Some((port, _)), false) = (open, self.users.is_empty()) {
            // Closed rather than open: whoever set a password expects one.
            self.notes.push(format!("port {port} wants a login too, as another output has one"));
        }
        if !self.users.is_empty() {
            self.notes.push(format!("-c: {TYPED_PASSWORD}"));
        }
        if self.users.len() > 1 {
            self.notes.push("each user of any port may log in at all of them".into());
        }
        (self.server, self.cameras, self.users, self.notes)
    }
}
