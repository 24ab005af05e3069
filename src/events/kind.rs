//! The types of events.

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    CameraOn,
    CameraOff,
    CameraLost,
    CameraBack,
    FirstViewer,
    LastViewer,
    MotionBegin,
    MotionEnd,
    RecordingStarted,
    RecordingStopped,
    RecordingFailed,
    SegmentFinished,
    ControlChanged,
}

impl Kind {
    pub(crate) const ALL: [Self; 13] = [
        Self::CameraOn,
        Self::CameraOff,
        Self::CameraLost,
        Self::CameraBack,
        Self::FirstViewer,
        Self::LastViewer,
        Self::MotionBegin,
        Self::MotionEnd,
        Self::RecordingStarted,
        Self::RecordingStopped,
        Self::RecordingFailed,
        Self::SegmentFinished,
        Self::ControlChanged,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CameraOn => "camera-on",
            Self::CameraOff => "camera-off",
            Self::CameraLost => "camera-lost",
            Self::CameraBack => "camera-back",
            Self::FirstViewer => "first-viewer",
            Self::LastViewer => "last-viewer",
            Self::MotionBegin => "motion-begin",
            Self::MotionEnd => "motion-end",
            Self::RecordingStarted => "recording-started",
            Self::RecordingStopped => "recording-stopped",
            Self::RecordingFailed => "recording-failed",
            Self::SegmentFinished => "segment-finished",
            Self::ControlChanged => "control-changed",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// All names, for an error.
    pub(crate) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}
