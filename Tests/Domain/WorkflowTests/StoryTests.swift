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
            let expected = try Telling(story.events).state
            var random = StoryRandom(state: seed ^ 0xFF)
            let shuffled = random.shuffle(story.events)
            let state = try Telling(shuffled).state
            if state != expected {
                failures += 1
                Issue.record("seed \(seed): told as \(shuffled)\n\(state)\nas it happened \(story.events)\n\(expected)")
            }
        }
    }

    @Test("Every permutation of stories of six events ends in one state", arguments: [11, 23, 42, 77] as [UInt64])
    func permutations(seed: UInt64) throws {
        var seed = seed
        var story = Story(seed: seed)
        while story.events.count != 6 {
            seed += 1_000
            story = Story(seed: seed)
        }
        let expected = try Telling(story.events).state
        var failures = 0
        for order in Self.permutations(of: Array(story.events.indices)) where failures < 3 {
            let state = try Telling(order.map { story.events[$0] }).state
            if state != expected {
                failures += 1
                Issue.record("seed \(seed), arrival \(order) of \(story.events)\n\(state)\nas it happened\n\(expected)")
            }
        }
    }

    private static func permutations(of list: [Int]) -> [[Int]] {
        guard list.count > 1 else { return [list] }
        return list.indices.flatMap { index -> [[Int]] in
            var rest = list
            let first = rest.remove(at: index)
            return permutations(of: rest).map { [first] + $0 }
        }
    }
}
