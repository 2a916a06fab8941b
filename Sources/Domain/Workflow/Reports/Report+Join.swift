extension ReportService {
    /// Gives the reports of one order to another that was found to be the same, and joins those that are then one: two
    /// states of a report, of which each named the exam by another number.
    func move(from orderID: EntityID, to survivor: ImagingOrder, in unit: any UnitOfWork) throws {
        for var report in try unit.reports(of: survivor.patientID) where report.orderIDs.contains(orderID) {
            var orders: [EntityID] = []
            for id in report.orderIDs.map({ $0 == orderID ? survivor.id : $0 }) where !orders.contains(id) {
                orders.append(id)
            }
            report.orderID = orders.first
            report.otherOrderIDs = Array(orders.dropFirst())
            try unit.save(report)
            unit.emit(.reportChanged(report.id))
        }
        var kept: [Report] = []
        for report in try unit.reports(on: survivor) {
            guard let index = kept.firstIndex(where: { $0.isSame(as: report) }) else {
                kept.append(report)
                continue
            }
            kept[index] = kept[index].joined(with: report)
            try unit.save(kept[index])
            unit.emit(.reportChanged(kept[index].id))
            try unit.removeReport(report.id)
            unit.emit(.reportRemoved(report.id))
        }
    }
}

extension Report {
    /// Whether two reports of one order are one: a filler number names it, else a placer number; what one does not name
    /// contradicts nothing.
    func isSame(as other: Report) -> Bool {
        if let a = filler, let b = other.filler { return a.matches(b) }
        if let a = placer, let b = other.placer { return a.matches(b) }
        return true
    }

    /// Both as one, as if their messages had come for it: the content that is furthest on, the newest withdrawal.
    /// Findings that only the other content had are withdrawn with it.
    func joined(with other: Report) -> Report {
        func reach(_ report: Report) -> (Int, Int64) {
            report.contentState?.reach ?? (-1, report.withdrawal?.issued.microseconds ?? .min)
        }
        func words(_ report: Report) -> (Int, Int64) {
            report.wordsState?.reach ?? (report.hasWords ? reach(report) : (-2, .min))
        }
        let (ahead, behind) = reach(self) < reach(other) ? (other, self) : (self, other)
        let (content, rest) = words(self) < words(other) ? (other, self) : (self, other)
        let isWhole = (content.wordsState ?? content.contentState)?.status != .partial

        var joined = self
        joined.placer = placer ?? other.placer
        joined.filler = filler ?? other.filler
        joined.visitNumber = visitNumber ?? other.visitNumber
        joined.visitID = visitID ?? other.visitID
        joined.otherOrderIDs = otherOrderIDs + other.orderIDs.filter { !orderIDs.contains($0) }
        joined.studyInstanceUIDs =
            studyInstanceUIDs + other.studyInstanceUIDs.filter { !studyInstanceUIDs.contains($0) }
        joined.code = ahead.code
        joined.category = ahead.category ?? behind.category
        joined.effective = ahead.effective ?? behind.effective
        joined.interpreters = ahead.interpreters.isEmpty ? behind.interpreters : ahead.interpreters
        joined.attributes = ahead.attributes ?? behind.attributes
        joined.issued = ahead.issued ?? behind.issued
        joined.conclusion = isWhole ? content.conclusion : content.conclusion ?? rest.conclusion
        joined.presentedForms =
            isWhole || !content.presentedForms.isEmpty ? content.presentedForms : rest.presentedForms
        joined.observations =
            content.observations
            + rest.observations.map { finding in
                var finding = finding
                let isSaid = content.observations.contains { $0.key == finding.key }
                if isWhole || isSaid { finding.status = .enteredInError }
                return finding
            }
        joined.contentState = ahead.contentState
        joined.wordsState = content.wordsState
        joined.withdrawal = [withdrawal, other.withdrawal].compactMap { $0 }.max { $0.issued < $1.issued }
        if let withdrawal = joined.withdrawal, joined.contentState.map({ withdrawal.stands(before: $0) }) ?? true {
            joined.status = withdrawal.status
        } else {
            joined.status = joined.contentState?.status ?? ahead.status
        }
        return joined
    }
}
