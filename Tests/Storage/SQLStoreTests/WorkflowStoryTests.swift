import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// The end of a story does not depend on the order of arrival, on both databases: S10, S12, H22.
@Suite struct WorkflowStoryTests {
    private typealias Support = WorkflowSupport
    private typealias Event = @Sendable (any UnitOfWork) throws -> Void

    /// Registration, visit, order, status, report and image of one exam whose numbers end in `key`.
    private static func story(_ key: Int) -> [Event] {
        let patient = "P\(key)", visit = Identifier(system: "urn:visit", value: "V\(key)")
        @Sendable func named(_ time: Int64) -> PatientUpdate {
            var update = PatientUpdate(identifiers: [Support.mrn(patient)], eventTime: Support.at(time))
            update.names = .set([HumanName(family: "At\(time)")])
            return update
        }
        @Sendable func order(_ control: OrderUpdate.Control, _ time: Int64) -> OrderUpdate {
            var update = OrderUpdate(control: control, patient: named(time))
            update.placer = Identifier(system: "urn:placer", value: "O\(key)", kind: .placer)
            update.eventTime = Support.at(time)
            return update
        }
        return [
            { _ = try PatientService().apply(named(1), in: $0) },
            { unit in
                guard let id = try PatientService().apply(named(2), in: unit).patientID else { return }
                let update = VisitUpdate(identifier: visit, status: .inProgress, eventTime: Support.at(2))
                _ = try VisitService().apply(update, to: id, in: unit)
            },
            { unit in
                var new = order(.new, 3)
                new.accession = Identifier(system: "urn:acc", value: "A\(key)", kind: .accession)
                new.studyInstanceUID = "1.2.\(key)"
                new.code = Support.concept("CT")
                new.visit = visit
                new.stepStatus = .scheduled
                _ = try OrderService().apply(new, in: unit)
            },
            { unit in
                var status = order(.statusChanged, 4)
                status.filler = Identifier(system: "urn:filler", value: "F\(key)", kind: .filler)
                status.stepStatus = .inProgress
                _ = try OrderService().apply(status, in: unit)
            },
            { unit in
                _ = try StudyService().register(
                    Support.received("1.9.\(key)", study: "1.2.\(key)", series: "1.2.\(key).1") { study, series in
                        (study.patientID, series.patientID) = (patient, patient)
                    }, in: unit)
            },
            { unit in
                var report = ReportUpdate(patient: named(6), status: .final, code: Support.concept("CT"))
                report.placer = Identifier(system: "urn:placer", value: "O\(key)", kind: .placer)
                report.issued = Support.at(6)
                report.conclusion = "C"
                _ = try ReportService().apply(report, in: unit)
            },
        ]
    }

    private static func state(_ key: Int, _ unit: any UnitOfWork) throws -> [String] {
        guard let patient = try unit.patients(identifiedBy: Support.mrn("P\(key)")).first else { return [] }
        var lines = ["\(patient.names.map(\.family)) \(try unit.visits(of: patient.id).map(\.status))"]
        for order in try unit.orders(of: patient.id) {
            lines.append(
                "\(order.placer?.value.isEmpty == false) \(order.filler != nil) \(order.accession != nil) \(order.status) "
                    + "\(order.steps.map(\.status)) \(order.visitID != nil) \(try unit.studies(ofOrder: order.id).count) "
                    + "\(try unit.reports(ofOrder: order.id).map(\.status))")
        }
        return lines
    }

    @Test("Each permutation of six events of one exam ends in one state", arguments: TestDatabases.all)
    func permutations(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            var expected: [String]?
            for (key, order) in TestSupport.permutations(of: Array(0..<6)).enumerated() {
                let events = Self.story(key)
                for index in order { try await store.work(events[index]) }
                let state = try await store.look { try Self.state(key, $0) }
                if expected == nil {
                    #expect(
                        state.last
                            == "true true true completed [Workflow.ScheduledProcedureStep.Status.completed] true 1 [Workflow.Report.Status.final]"
                    )
                }
                #expect(state == expected ?? state, "arrival \(order)")
                expected = state
            }
        }
    }
}
