//! A review on the screen: the list on the left, what approving would change on the right, the keys below.

use cask_core::endpoint::Risk;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line as Text, Span};
use ratatui::widgets::{Block, Clear, List, ListItem, ListState, Paragraph, Wrap};

use super::{Choice, Item, Mode, Review, Tone, name};

const KEYS: &str = "a allow · b block · s skip · u undo · r reason · / search · w sign · ? help · q quit";
const HELP: &str = "\
 ↑ ↓ j k      go through the list          Home End   first, last
 PgUp PgDn    scroll what would change     /          search in names and changes
 a            allow; a critical subject by typing its name
 b            block                        r          say why
 s            skip                         u          undo the choice
 w            sign what was chosen         q Esc      leave

 any key goes on";

/// Draws it.
pub fn draw(frame: &mut Frame<'_>, review: &Review, colour: bool) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(3), Constraint::Length(2)])
            .areas(frame.area());
    let (allowed, blocked) = review.counts();
    let title =
        format!("cask gate review: {} undecided, {allowed} to allow, {blocked} to block", review.items.len());
    frame.render_widget(Paragraph::new(title).style(Style::new().add_modifier(Modifier::BOLD)), head);
    let [left, right] =
        Layout::horizontal([Constraint::Percentage(38), Constraint::Percentage(62)]).areas(body);
    list(frame, review, colour, left);
    detail(frame, review, colour, right);
    frame.render_widget(Paragraph::new(vec![Text::from(below(review)), Text::from(KEYS)]), foot);
    if review.mode == Mode::Help {
        let area = middle(frame.area(), 76, 11);
        frame.render_widget(Clear, area);
        frame.render_widget(Paragraph::new(HELP).block(Block::bordered().title(" keys ")), area);
    }
}

fn list(frame: &mut Frame<'_>, review: &Review, colour: bool, area: Rect) {
    let visible = review.visible();
    let rows = visible.iter().map(|item| {
        let mark = match review.chosen.get(&item.id) {
            Some((Choice::Allow, _)) => "✓",
            Some((Choice::Block, _)) => "✗",
            None => " ",
        };
        ListItem::new(Text::from(vec![
            Span::raw(format!("{mark} ")),
            Span::styled(format!("{:<8} ", item.risk.as_str()), risk_style(item.risk, colour)),
            Span::raw(item.id.clone()),
        ]))
    });
    let title = if review.query.is_empty() {
        " undecided ".to_owned()
    } else {
        format!(" search: {} ({}) ", review.query, visible.len())
    };
    let list = List::new(rows)
        .block(Block::bordered().title(title))
        .highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let mut state = ListState::default().with_selected((!visible.is_empty()).then_some(review.at));
    frame.render_stateful_widget(list, area, &mut state);
}

fn detail(frame: &mut Frame<'_>, review: &Review, colour: bool, area: Rect) {
    let Some(item) = review.current() else {
        let nothing = Paragraph::new("nothing fits the search").block(Block::bordered());
        return frame.render_widget(nothing, area);
    };
    let lines: Vec<Text<'_>> = head(item)
        .into_iter()
        .chain(item.lines.iter().map(|line| Text::styled(line.text.clone(), tone_style(line.tone, colour))))
        .collect();
    let title = format!(" {} ", item.id);
    let text = Paragraph::new(lines)
        .wrap(Wrap { trim: false })
        .scroll((review.scroll, 0))
        .block(Block::bordered().title(title));
    frame.render_widget(text, area);
}

fn head(item: &Item) -> Vec<Text<'static>> {
    vec![Text::from(format!("{}, risk {}", item.standing, item.risk.as_str())), Text::default()]
}

/// What is asked, typed or said.
fn below(review: &Review) -> String {
    let (allowed, blocked) = review.counts();
    match &review.mode {
        Mode::Search => format!("search: {}▏", review.query),
        Mode::Reason(text) => format!("why: {text}▏  (Enter keeps it)"),
        Mode::Confirm(text) => {
            let wanted = review.current().map_or("", |item| name(&item.id));
            format!("critical: type `{wanted}` to allow it: {text}▏")
        }
        Mode::Finish => format!("sign: {allowed} to allow, {blocked} to block? [y/N]"),
        Mode::Leave => "leave without signing what was chosen? [y/N]".to_owned(),
        Mode::Browse | Mode::Help => {
            let reason = review.current().and_then(|item| review.chosen.get(&item.id));
            match reason {
                _ if !review.said.is_empty() => review.said.clone(),
                Some((_, reason)) if !reason.is_empty() => format!("because: {reason}"),
                _ => String::new(),
            }
        }
    }
}

fn risk_style(risk: Risk, colour: bool) -> Style {
    let style = Style::new();
    let style = if risk >= Risk::High { style.add_modifier(Modifier::BOLD) } else { style };
    if !colour {
        return style;
    }
    style.fg(match risk {
        Risk::Safe | Risk::Low => Color::Green,
        Risk::Medium => Color::Yellow,
        Risk::High => Color::LightRed,
        Risk::Critical => Color::Magenta,
    })
}

fn tone_style(tone: Tone, colour: bool) -> Style {
    let style = Style::new();
    let style = if tone == Tone::Breaking { style.add_modifier(Modifier::BOLD) } else { style };
    if !colour {
        return style;
    }
    match tone {
        Tone::Breaking => style.fg(Color::LightRed),
        Tone::Warning => style.fg(Color::Yellow),
        Tone::Plain => style,
        Tone::Before => style.fg(Color::Red),
        Tone::After => style.fg(Color::Green),
    }
}

fn middle(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::super::tests::review;
    use super::*;

    fn screen(review: &Review, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, review, true)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn the_screen_shows_list_change_and_keys() {
        let mut review = review();
        insta::assert_snapshot!(screen(&review, 90, 12));
        review.press(KeyEvent::new(KeyCode::Char('a'), KeyModifiers::NONE));
        assert!(screen(&review, 90, 12).contains("critical: type `pay` to allow it"));
        review.press(KeyEvent::new(KeyCode::Esc, KeyModifiers::NONE));
        review.press(KeyEvent::new(KeyCode::Char('?'), KeyModifiers::NONE));
        assert!(screen(&review, 90, 20).contains("any key goes on"));
    }

    #[test]
    fn no_screen_is_too_small() {
        for (width, height) in [(1, 1), (3, 2), (20, 5), (300, 100)] {
            let mut review = review();
            for key in "?x/zz".chars() {
                screen(&review, width, height);
                review.press(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE));
            }
            screen(&review, width, height);
        }
    }
}
