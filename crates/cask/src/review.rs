//! The review of what is undecided, at a terminal: what is there, what was chosen, and what a key does. It draws nothing and
//! signs nothing; [`draw`] shows it, and `cask gate review` acts on it.

use std::collections::BTreeMap;

use cask_core::endpoint::Risk;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

pub mod draw;

/// A subject to decide on.
#[derive(Debug, Clone)]
pub struct Item {
    /// `tool/get_user`
    pub id: String,
    /// Its tier.
    pub risk: Risk,
    /// How it stands, in one word.
    pub standing: &'static str,
    /// What approving it would change, a line each, safe to show.
    pub lines: Vec<Line>,
}

/// A line about a subject.
#[derive(Debug, Clone)]
pub struct Line {
    /// How it is shown.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

/// How a line is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// An agent could do more.
    Breaking,
    /// Needs a look.
    Warning,
    /// Good to know.
    Plain,
    /// What it was.
    Before,
    /// What it is.
    After,
}

/// What was chosen for a subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// To be approved.
    Allow,
    /// To be blocked.
    Block,
}

/// What the keys go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    /// Going through the list.
    Browse,
    /// Typing what to search for.
    Search,
    /// Typing why.
    Reason(String),
    /// Typing the name of a critical subject, to approve it.
    Confirm(String),
    /// Asked whether to sign.
    Finish,
    /// Asked whether to leave without signing.
    Leave,
    /// Reading what the keys do.
    Help,
}

/// What to do after a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Draw again.
    Go,
    /// Sign what was chosen.
    Sign,
    /// Leave; nothing was decided.
    Quit,
}

/// Where the review stands.
#[derive(Debug, Clone)]
pub struct Review {
    /// Everything undecided, the highest risk first.
    pub items: Vec<Item>,
    /// What was chosen, and why, by subject.
    pub chosen: BTreeMap<String, (Choice, String)>,
    /// What the list is narrowed to.
    pub query: String,
    /// Which of the visible items is looked at.
    pub at: usize,
    /// How far its lines are scrolled.
    pub scroll: u16,
    /// What the keys go to.
    pub mode: Mode,
    /// What was just said.
    pub said: String,
}

impl Review {
    /// Of these subjects.
    #[must_use]
    pub fn new(mut items: Vec<Item>) -> Self {
        items.sort_by(|one, other| (other.risk, &one.id).cmp(&(one.risk, &other.id)));
        let (chosen, query, said) = (BTreeMap::new(), String::new(), String::new());
        Self { items, chosen, query, at: 0, scroll: 0, mode: Mode::Browse, said }
    }

    /// The items that fit the search.
    #[must_use]
    pub fn visible(&self) -> Vec<&Item> {
        let query = self.query.to_lowercase();
        let fits = |item: &&Item| {
            item.id.to_lowercase().contains(&query)
                || item.risk.as_str() == query
                || item.lines.iter().any(|line| line.text.to_lowercase().contains(&query))
        };
        self.items.iter().filter(fits).collect()
    }

    /// The one that is looked at.
    #[must_use]
    pub fn current(&self) -> Option<&Item> {
        self.visible().get(self.at).copied()
    }

    /// How many are to be approved, and how many blocked.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let allowed = self.chosen.values().filter(|(choice, _)| *choice == Choice::Allow).count();
        (allowed, self.chosen.len() - allowed)
    }

    /// A key was pressed.
    pub fn press(&mut self, key: KeyEvent) -> Next {
        self.said.clear();
        let code = match key.code {
            // As a terminal sends it that was not yet listening key by key.
            KeyCode::Char('j' | 'm') if key.modifiers.contains(KeyModifiers::CONTROL) => KeyCode::Enter,
            KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => return Next::Quit,
            _ if key.modifiers.contains(KeyModifiers::CONTROL) => return Next::Go,
            code => code,
        };
        match std::mem::replace(&mut self.mode, Mode::Browse) {
            Mode::Browse => return self.browse(code),
            Mode::Help => {}
            Mode::Search => self.search(code),
            Mode::Reason(text) => self.reason(text, code),
            Mode::Confirm(text) => self.confirm(text, code),
            Mode::Finish if matches!(code, KeyCode::Char('y' | 'Y')) => return Next::Sign,
            Mode::Leave if matches!(code, KeyCode::Char('y' | 'Y')) => return Next::Quit,
            Mode::Finish | Mode::Leave => self.said = "going on".to_owned(),
        }
        Next::Go
    }

    fn browse(&mut self, key: KeyCode) -> Next {
        match key {
            KeyCode::Down | KeyCode::Char('j' | 's') => self.go(1),
            KeyCode::Up | KeyCode::Char('k') => self.go(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll = self.scroll.saturating_add(10),
            KeyCode::PageUp => self.scroll = self.scroll.saturating_sub(10),
            KeyCode::Home => self.go(isize::MIN),
            KeyCode::End => self.go(isize::MAX),
            KeyCode::Char('/') => self.mode = Mode::Search,
            KeyCode::Char('?') => self.mode = Mode::Help,
            KeyCode::Char('a') => self.allow(),
            KeyCode::Char('b') => self.choose(Choice::Block),
            KeyCode::Char('r') => self.ask_why(),
            KeyCode::Char('u') => {
                if let Some(id) = self.current().map(|item| item.id.clone()) {
                    self.chosen.remove(&id);
                }
            }
            KeyCode::Char('w') if self.chosen.is_empty() => self.said = "nothing is chosen yet".to_owned(),
            KeyCode::Char('w') => self.mode = Mode::Finish,
            KeyCode::Char('q') | KeyCode::Esc if self.chosen.is_empty() => return Next::Quit,
            KeyCode::Char('q') | KeyCode::Esc => self.mode = Mode::Leave,
            _ => {}
        }
        Next::Go
    }

    fn go(&mut self, by: isize) {
        let last = self.visible().len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
        self.scroll = 0;
    }

    /// Nobody approves what is critical with a slip of the finger.
    fn allow(&mut self) {
        match self.current().map(|item| item.risk) {
            Some(Risk::Critical) => self.mode = Mode::Confirm(String::new()),
            Some(_) => self.choose(Choice::Allow),
            None => {}
        }
    }

    fn choose(&mut self, choice: Choice) {
        let Some(id) = self.current().map(|item| item.id.clone()) else { return };
        let reason = self.chosen.remove(&id).map(|(_, reason)| reason).unwrap_or_default();
        self.chosen.insert(id, (choice, reason));
        self.go(1);
    }

    fn ask_why(&mut self) {
        let reason =
            self.current().and_then(|item| self.chosen.get(&item.id)).map(|(_, reason)| reason.clone());
        match reason {
            Some(reason) => self.mode = Mode::Reason(reason),
            None => self.said = "choose first (a or b), then say why".to_owned(),
        }
    }

    fn search(&mut self, key: KeyCode) {
        match key {
            KeyCode::Enter => return,
            KeyCode::Esc => self.query.clear(),
            other => {
                typed(&mut self.query, other);
                self.mode = Mode::Search;
            }
        }
        self.at = 0;
        self.scroll = 0;
    }

    fn reason(&mut self, mut text: String, key: KeyCode) {
        let Some(id) = self.current().map(|item| item.id.clone()) else { return };
        match key {
            KeyCode::Esc => {}
            KeyCode::Enter => {
                if let Some((_, reason)) = self.chosen.get_mut(&id) {
                    *reason = text;
                }
            }
            other => {
                typed(&mut text, other);
                self.mode = Mode::Reason(text);
            }
        }
    }

    fn confirm(&mut self, mut text: String, key: KeyCode) {
        let Some(name) = self.current().map(|item| name(&item.id).to_owned()) else { return };
        match key {
            KeyCode::Esc => self.said = "not approved".to_owned(),
            KeyCode::Enter if text == name => self.choose(Choice::Allow),
            KeyCode::Enter => self.said = format!("not approved: that is not `{name}`"),
            other => {
                typed(&mut text, other);
                self.mode = Mode::Confirm(text);
            }
        }
    }
}

/// What has to be typed to approve a critical subject.
#[must_use]
pub fn name(id: &str) -> &str {
    id.split_once('/').map_or(id, |(_, name)| name)
}

fn typed(text: &mut String, key: KeyCode) {
    match key {
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char(c) if !c.is_control() && text.chars().count() < 200 => text.push(c),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn review() -> Review {
        let item = |id: &str, risk| Item {
            id: id.to_owned(),
            risk,
            standing: "pending",
            lines: vec![
                Line { tone: Tone::Breaking, text: format!("new tool `{}`", name(id)) },
                Line { tone: Tone::After, text: "description: Does one thing.".to_owned() },
            ],
        };
        Review::new(vec![
            item("tool/get_user", Risk::Low),
            item("tool/pay", Risk::Critical),
            item("policy/default", Risk::High),
        ])
    }

    fn press(review: &mut Review, keys: &str) -> Next {
        let mut next = Next::Go;
        for c in keys.chars() {
            let code = match c {
                '\n' => KeyCode::Enter,
                '\u{1b}' => KeyCode::Esc,
                '\u{8}' => KeyCode::Backspace,
                c => KeyCode::Char(c),
            };
            next = review.press(KeyEvent::new(code, KeyModifiers::NONE));
        }
        next
    }

    #[test]
    fn the_highest_risk_comes_first_and_is_typed_out() {
        let mut review = review();
        let order: Vec<&str> = review.items.iter().map(|item| item.id.as_str()).collect();
        assert_eq!(order, ["tool/pay", "policy/default", "tool/get_user"]);
        press(&mut review, "a\n");
        assert_eq!(review.counts(), (0, 0), "Enter alone approves nothing critical");
        press(&mut review, "apax\u{8}y\n");
        assert_eq!(review.chosen["tool/pay"].0, Choice::Allow);
        press(&mut review, "ab");
        assert_eq!(review.counts(), (2, 1));
        assert_eq!(press(&mut review, "w"), Next::Go);
        assert_eq!(press(&mut review, "n"), Next::Go);
        assert_eq!(press(&mut review, "wy"), Next::Sign);
    }

    #[test]
    fn a_choice_has_a_reason_and_can_be_taken_back() {
        let mut review = review();
        press(&mut review, "r");
        assert!(review.said.contains("choose first"));
        press(&mut review, "jbkrnot in PR 12\n");
        assert_eq!(review.chosen["policy/default"], (Choice::Block, "not in PR 12".to_owned()));
        press(&mut review, "rx\u{1b}");
        assert_eq!(review.chosen["policy/default"].1, "not in PR 12");
        assert_eq!(press(&mut review, "qn"), Next::Go, "what is chosen is not lost in passing");
        press(&mut review, "u");
        assert!(review.chosen.is_empty());
        assert_eq!(press(&mut review, "q"), Next::Quit);
    }

    #[test]
    fn a_search_narrows_the_list() {
        let mut review = review();
        press(&mut review, "/USER\n");
        assert_eq!(review.visible().len(), 1);
        press(&mut review, "a");
        assert_eq!(review.chosen.keys().collect::<Vec<_>>(), ["tool/get_user"]);
        press(&mut review, "/\u{1b}");
        assert_eq!(review.visible().len(), 3);
        press(&mut review, "/nothing like it\n");
        assert!(review.current().is_none());
        assert_eq!(press(&mut review, "abrujk?xw"), Next::Go);
    }
}
