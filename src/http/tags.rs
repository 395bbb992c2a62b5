//! The chapters of the API document.

use poem_openapi::Tags;

/// A chapter.
#[derive(Clone, Copy, Debug, Tags)]
pub enum Tag {
    /// Making, changing, finding and finishing tasks.
    Tasks,
    /// Files of tasks.
    Attachments,
    /// What to do now, and why.
    Ranking,
    /// Folders of tasks.
    Projects,
    /// Words that mark tasks.
    Labels,
    /// What decides the order of tasks, for operators.
    Policies,
    /// What happens, as it happens.
    Events,
    /// Programs that you connected.
    Apps,
    /// Taking everything out, and bringing it in.
    Transfer,
    /// The tools that chats and agents use.
    Mcp,
}
