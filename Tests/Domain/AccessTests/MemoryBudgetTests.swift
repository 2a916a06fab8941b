import Access
import Testing

/// X8: one budget of bytes over all doors.
@Suite struct MemoryBudgetTests {
    @Test("A reservation grows in steps, never shrinks, and is given back when it goes")
    func grows() {
        let budget = MemoryBudget(bytesMax: 1 << 20)
        do {
            let reservation = budget.reservation()
            #expect(reservation.grow(to: 1))
            #expect(reservation.count == MemoryReservation.stepBytes)
            #expect(reservation.grow(to: 10))
            #expect(budget.used == MemoryReservation.stepBytes)
            #expect(reservation.grow(to: MemoryReservation.stepBytes + 1))
            #expect(budget.used == 2 * MemoryReservation.stepBytes)
        }
        #expect(budget.used == 0)
        #expect(budget.peak == 2 * MemoryReservation.stepBytes)
        #expect(budget.takeReturned() == 2 * MemoryReservation.stepBytes)
        #expect(budget.takeReturned() == 0)
    }

    @Test("At the limit all is given, one byte more is refused and changes nothing")
    func limit() {
        let budget = MemoryBudget(bytesMax: 1_000_000)
        let first = budget.reservation()
        let second = budget.reservation()
        #expect(first.grow(to: 600_000))
        let left = 1_000_000 - first.count
        #expect(!second.grow(to: left + 1))
        #expect(second.count == 0)
        #expect(second.grow(to: left))
        #expect(budget.used == 1_000_000)
        #expect(budget.refusals == 1)
        first.release()
        #expect(second.grow(to: left + 1))
        #expect(!second.grow(to: .max))
    }
}
