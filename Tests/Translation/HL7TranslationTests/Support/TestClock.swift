import Workflow

struct TestClock: Clock {
    func now() -> UTCInstant { UTCInstant(microseconds: 1_796_500_000_000_000) }
}
