import Access
import Testing

/// House decision 8: rights are one value.
struct VisibilityTests {
    private let own = VisibilityRule.Condition.compartment(.patient("1"))
    private let a = VisibilityRule.Condition.search(ScopeConstraint(name: "category", value: "a"))
    private let open = VisibilityRule.Condition.carriesNone(of: [SecurityLabel(system: "s", code: "R")])

    @Test("No rule lets nothing through, a rule without conditions everything")
    func ends() {
        #expect(Visibility(anyOf: []) == .nothing)
        #expect(Visibility(anyOf: []).isNothing)
        #expect(Visibility(anyOf: [VisibilityRule([a]), VisibilityRule([])]) == .whole)
        #expect(Visibility(anyOf: [VisibilityRule([])]).isWhole)
        let some = Visibility(anyOf: [VisibilityRule([a])])
        #expect(!some.isWhole)
        #expect(!some.isNothing)
    }

    @Test("A rule that only narrows another one is left out, whichever comes first; the order of the others stays")
    func narrower() {
        let (wide, narrow, other) = (VisibilityRule([own]), VisibilityRule([a, own]), VisibilityRule([open]))
        #expect(Visibility(anyOf: [wide, narrow, other]) == .anyOf([wide, other]))
        #expect(Visibility(anyOf: [narrow, other, wide]) == .anyOf([other, wide]))
        #expect(Visibility(anyOf: [wide, wide]) == .anyOf([wide]))
        #expect(Visibility(anyOf: [VisibilityRule([a, own]), VisibilityRule([own, a])]) == .anyOf([narrow]))
    }

    @Test("A rule has each of its conditions once")
    func once() { #expect(VisibilityRule([a, own, a]).conditions == [a, own]) }
}
