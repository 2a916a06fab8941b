import SQLStore
import Synchronization
import Testing

@testable import hilum

@Suite struct CommitWatchTests {
    @Test("The millionth commit is told as soon as the first", .timeLimit(.minutes(10)))
    func manyCommits() {
        let watch = CommitWatch()
        let last = Mutex<Int64>(0)
        watch.follow { sequence in last.withLock { $0 = sequence } }
        for sequence in 1...1_000_000 { watch.note(CommitStamp(sequence: Int64(sequence), time: 0)) }
        #expect(last.withLock { $0 } == 1_000_000)
    }

    @Test("Before there is somebody to tell nothing happens")
    func nobody() {
        CommitWatch().note(CommitStamp(sequence: 1, time: 0))
    }
}
