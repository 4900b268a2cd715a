//! What a change means for whoever approves it: one ordered vocabulary.

use std::fmt;
use std::str::FromStr;

/// What a change means, the least dangerous first: `--fail-on CLASS` asks for one of these or anything after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Signed, so it has to be approved again, but nobody can do or see anything new.
    NothingNew,
    /// Something that worked does not any more.
    Narrower,
    /// An agent, or the person who confirms its calls, reads other words.
    Text,
    /// A tool takes more from an agent than before.
    WiderInput,
    /// A tool can give more back than before.
    MoreDataOut,
    /// There is a tool, or a tool is served, where there was none.
    NewTool,
    /// Calls go to another host.
    NewHost,
    /// A call does something else.
    NewEffect,
    /// A call carries or makes other credentials.
    Auth,
    /// Text looks as if it were there to steer the model, to get at data or to hide something.
    Injection,
    /// A call can delete, pay or administer.
    Destructive,
    /// What a policy, a budget or a confirmation held back is held back less.
    PolicyWider,
}

/// Who is affected by a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The agent, and the people who rely on what it may do.
    Agent,
    /// The service that is called.
    Upstream,
    /// What leaves: answers, arguments and credentials.
    Data,
}

impl Side {
    /// `agent`, `upstream` or `data`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Side::Agent => "agent",
            Side::Upstream => "upstream",
            Side::Data => "data",
        }
    }
}

impl Class {
    /// Every class, the least dangerous first.
    pub const ALL: [Class; 12] = [
        Class::NothingNew,
        Class::Narrower,
        Class::Text,
        Class::WiderInput,
        Class::MoreDataOut,
        Class::NewTool,
        Class::NewHost,
        Class::NewEffect,
        Class::Auth,
        Class::Injection,
        Class::Destructive,
        Class::PolicyWider,
    ];

    /// Stable name, kebab-case.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Class::NothingNew => "nothing-new",
            Class::Narrower => "narrower",
            Class::Text => "text",
            Class::WiderInput => "wider-input",
            Class::MoreDataOut => "more-data-out",
            Class::NewTool => "new-tool",
            Class::NewHost => "new-host",
            Class::NewEffect => "new-effect",
            Class::Auth => "auth",
            Class::Injection => "injection",
            Class::Destructive => "destructive",
            Class::PolicyWider => "policy-wider",
        }
    }

    /// The heading of its findings.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Class::NothingNew => "For the record",
            Class::Narrower => "An agent could do the same or less",
            Class::Text => "An agent would read or be told something else",
            Class::WiderInput => "An agent could send more",
            Class::MoreDataOut => "More data could come out",
            Class::NewTool => "An agent could call something new",
            Class::NewHost => "Calls would go to another host",
            Class::NewEffect => "A call would do something else",
            Class::Auth => "Other credentials would be used or made",
            Class::Injection => "Text that may be there to steer the model",
            Class::Destructive => "A call could destroy, pay or administer",
            Class::PolicyWider => "Less would be held back",
        }
    }

    /// What it means, in one sentence.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Class::NothingNew => {
                "What is signed changed, so it has to be approved again, but nobody can do or see more."
            }
            Class::Narrower => {
                "Something that was possible is not any more: prompts and programs that rely on it break."
            }
            Class::Text => {
                "A model, or the person who is asked to confirm a call, reads words that nobody reviewed."
            }
            Class::WiderInput => "Values that were refused before would be sent to the service.",
            Class::MoreDataOut => "Answers may hold, or may be, what they could not be before.",
            Class::NewTool => "An agent gets a tool that nobody approved for it, and the tool only reads.",
            Class::NewHost => {
                "Arguments, credentials and answers go to, or come from, a host that nobody approved for it."
            }
            Class::NewEffect => {
                "The request that reaches the service is another one, or changes what was only read."
            }
            Class::Auth => "A call carries another kind of credential, or signs in, or makes credentials.",
            Class::Injection => {
                "Words, addresses or invisible characters came in that could make a model act against its user."
            }
            Class::Destructive => "A call deletes, moves money or changes who may do what, or may do so.",
            Class::PolicyWider => {
                "A rule, a budget, a tier or a hint that kept calls back, or had them confirmed, does so less."
            }
        }
    }

    /// Who is affected; nobody by what is only for the record.
    #[must_use]
    pub fn side(self) -> Option<Side> {
        match self {
            Class::NothingNew => None,
            Class::Narrower | Class::Text | Class::NewTool | Class::Injection | Class::PolicyWider => {
                Some(Side::Agent)
            }
            Class::WiderInput | Class::NewEffect | Class::Auth | Class::Destructive => Some(Side::Upstream),
            Class::MoreDataOut | Class::NewHost => Some(Side::Data),
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The name is none of [`Class::ALL`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no class of that name; the classes are {}", Class::ALL.map(Class::as_str).join(", "))]
pub struct UnknownClass;

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        Class::ALL.into_iter().find(|class| class.as_str() == text).ok_or(UnknownClass)
    }
}
