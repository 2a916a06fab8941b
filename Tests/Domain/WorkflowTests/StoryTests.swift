import Foundation
import SQLStore
import TestSupport
import Testing
import Workflow

/// The end does not depend on the order of arrival: S10, S12, H9, H14, H15, H22, H23.
/// IHE RAD TF-1 §4 (Scheduled Workflow), HL7 v2.5.1 §2.5.3, §3.3.40, §4.5, §7.3.
@Suite("Stories: the end does not depend on the order of arrival")
struct StoryTests {
    @Test("Of 10,000 generated stories each ends in one state, told as it happened or in any order")
    func stories() throws {
        let first: UInt64 = 0x5EED_0001
        print("stories from seed \(first)")
        var failures = 0
        for seed in first..<(first + 10_000) where failures < 5 {
            let story = Story(seed: seed)
            let expected = try Telling(story.events).state()
            var random = SeededGenerator(seed: seed ^ 0xFF)
            let shuffled = random.shuffle(story.events)
            let state = try Telling(shuffled).state()
            if state != expected {
                failures += 1
                Issue.record("seed \(seed): told as \(shuffled)\n\(state)\nas it happened \(story.events)\n\(expected)")
            }
        }
    }

    /// Stories told to each database: as many as a minute takes; HILUM_STORIES asks for another number.
    private static let countOnDatabases =
        ProcessInfo.processInfo.environment["HILUM_STORIES"].flatMap { UInt64($0) } ?? 1_000

    @Test("Generated stories end on both databases as in the domain alone, in any order", arguments: StoryDatabases.all)
    func databases(_ kind: SQLDialect) async throws {
        // Another part of the same stories on each: together they are more.
        let first: UInt64 = 0x5EED_0001 + (kind == .sqlite ? 0 : 5_000)
        print("\(Self.countOnDatabases) stories on \(kind) from seed \(first)")
        try await StoryDatabases.with(kind) { tell in
            var failures = 0
            for seed in first..<(first + Self.countOnDatabases) where failures < 5 {
                let story = Story(seed: seed)
                let expected = try Telling(story.events).state()
                var random = SeededGenerator(seed: seed ^ 0xFF)
                let shuffled = random.shuffle(story.events)
                let state = try await tell(shuffled)
                if state != expected {
                    failures += 1
                    Issue.record(
                        "seed \(seed): told as \(shuffled)\n\(state)\nas it happened \(story.events)\n\(expected)")
                }
            }
        }
    }

    @Test("A placer order that holds two procedures ends in one state, told as it happened or in any order (H8)")
    func procedures() throws {
        let first: UInt64 = 0x5EED_8001
        print("stories of two procedures from seed \(first)")
        var failures = 0
        for seed in first..<(first + 5_000) where failures < 5 {
            let story = Story(seed: seed, procedures: 2)
            let expected = try Telling(story.events).state()
            var random = SeededGenerator(seed: seed ^ 0xFF)
            let shuffled = random.shuffle(story.events)
            let state = try Telling(shuffled).state()
            if state != expected {
                failures += 1
                Issue.record("seed \(seed): told as \(shuffled)\n\(state)\nas it happened \(story.events)\n\(expected)")
            }
        }
    }

    @Test(
        "Every permutation of stories of six events ends in one state", arguments: [11, 23, 42, 77] as [UInt64], [1, 2])
    func permutations(seed: UInt64, procedures: Int) throws {
        var seed = seed
        var story = Story(seed: seed, procedures: procedures)
        while story.events.count != 6 {
            seed += 1_000
            story = Story(seed: seed, procedures: procedures)
        }
        let expected = try Telling(story.events).state()
        var failures = 0
        for order in TestSupport.permutations(of: Array(story.events.indices)) where failures < 3 {
            let state = try Telling(order.map { story.events[$0] }).state()
            if state != expected {
                failures += 1
                Issue.record("seed \(seed), arrival \(order) of \(story.events)\n\(state)\nas it happened\n\(expected)")
            }
        }
    }
}
