import DICOMData
import DICOMTranslation
import Testing
import Workflow

/// PS3.4 Table F.7.2-1.
@Suite struct PerformedStepDataSetTests {
    private let time = UTCInstant(microseconds: 1)

    static func attributes(status: String = "IN PROGRESS") -> DataSet {
        var item = DataSet()
        item.set(.studyInstanceUID, string: "1.2.3")
        item.set(.accessionNumber, string: "ACC1")
        item.set(.scheduledProcedureStepID, string: "SPS1")
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 100")
        set.set(.scheduledStepAttributesSequence, items: [item])
        set.set(.performedProcedureStepID, string: "PPS1")
        set.set(.performedStationAETitle, string: "CT1")
        set.set(.performedProcedureStepStartDate, string: "20260105")
        set.set(.performedProcedureStepStartTime, string: "101500")
        set.set(.performedProcedureStepStatus, string: status)
        set.set(.modality, string: "CT")
        set.set(.patientName, string: "Müller^Ä")
        return set
    }

    static func final(_ status: String, series: Bool = true) -> DataSet {
        var set = DataSet()
        set.set(.performedProcedureStepStatus, string: status)
        set.set(.performedProcedureStepEndDate, string: "20260105")
        set.set(.performedProcedureStepEndTime, string: "103000")
        if series {
            var item = DataSet()
            item.set(.seriesInstanceUID, string: "1.2.3.1")
            set.set(.performedSeriesSequence, items: [item])
        }
        return set
    }

    private func created() throws -> PerformedProcedureStep {
        try PerformedStepDataSet.create(Self.attributes(), sopInstanceUID: "1.9", performedBy: "CT1", at: time)
    }

    private func problem(_ work: () throws -> Void) -> PerformedStepDataSet.Problem? {
        do {
            try work()
            return nil
        } catch {
            return error as? PerformedStepDataSet.Problem
        }
    }

    @Test("N-CREATE: each attribute of type 1 is there and has a value; the state is IN PROGRESS")
    func creation() throws {
        let step = try created()
        #expect(step.status == .inProgress)
        #expect(step.performedBy == "CT1")
        #expect(
            step.scheduled == [
                .init(studyInstanceUID: "1.2.3", accessionNumber: "ACC1", scheduledProcedureStepID: "SPS1")
            ])
        let needed: [DICOMData.Tag] = [
            .scheduledStepAttributesSequence, .performedProcedureStepID, .performedStationAETitle,
            .performedProcedureStepStartDate, .performedProcedureStepStartTime, .performedProcedureStepStatus,
            .modality,
        ]
        for tag in needed {
            var set = Self.attributes()
            set.remove(tag)
            #expect(
                problem {
                    _ = try PerformedStepDataSet.create(set, sopInstanceUID: "1.9", performedBy: "CT1", at: time)
                } == .missing(tag))
            set.setEmpty(tag)
            #expect(
                problem {
                    _ = try PerformedStepDataSet.create(set, sopInstanceUID: "1.9", performedBy: "CT1", at: time)
                } == .empty(tag))
        }
        for status in ["COMPLETED", "DISCONTINUED", "in progress"] {
            #expect(
                problem {
                    _ = try PerformedStepDataSet.create(
                        Self.attributes(status: status), sopInstanceUID: "1.9", performedBy: "CT1", at: time)
                } == .value(.performedProcedureStepStatus))
        }
        var nameless = Self.attributes()
        nameless.set(.scheduledStepAttributesSequence, items: [DataSet()])
        #expect(
            problem {
                _ = try PerformedStepDataSet.create(nameless, sopInstanceUID: "1.9", performedBy: "CT1", at: time)
            } == .missing(.studyInstanceUID))
    }

    @Test("N-SET: the end needs its date and time, and a completed step its series; a discontinued one need not")
    func end() throws {
        let step = try created()
        let done = try PerformedStepDataSet.update(step, with: Self.final("COMPLETED"), at: time)
        #expect(done.step.status == .completed)
        #expect(done.left.isEmpty)
        #expect(
            problem {
                _ = try PerformedStepDataSet.update(step, with: Self.final("COMPLETED", series: false), at: time)
            }
                == .missing(.performedSeriesSequence))
        #expect(
            try PerformedStepDataSet.update(step, with: Self.final("DISCONTINUED", series: false), at: time).step.status
                == .discontinued)
        var endless = Self.final("DISCONTINUED")
        endless.remove(.performedProcedureStepEndTime)
        #expect(
            problem { _ = try PerformedStepDataSet.update(step, with: endless, at: time) }
                == .missing(.performedProcedureStepEndTime))
        #expect(
            problem { _ = try PerformedStepDataSet.update(step, with: Self.final("DONE"), at: time) }
                == .value(.performedProcedureStepStatus))
    }

    @Test("N-SET leaves what may not be changed, and says so; text of another character set is kept as text")
    func changes() throws {
        var changes = DataSet()
        changes.set(.specificCharacterSet, string: "ISO_IR 192")
        changes.set(.performedProcedureStepDescription, string: "頭部")
        changes.set(.patientName, string: "Other^Name")
        changes.set(.modality, string: "CT")
        let changed = try PerformedStepDataSet.update(try created(), with: changes, at: time)
        #expect(changed.left == [.patientName])
        #expect(changed.step.status == .inProgress)
        let all = try PerformedStepDataSet.attributes(of: changed.step, asked: [])
        #expect(all.string(.patientName) == "Müller^Ä")
        #expect(all.string(.performedProcedureStepDescription) == "頭部")
        let some = try PerformedStepDataSet.attributes(of: changed.step, asked: [.modality, .performedSeriesSequence])
        #expect(some.string(.modality) == "CT")
        #expect(some[.performedSeriesSequence]?.items?.isEmpty == true)
        #expect(some[.patientName] == nil)
    }

    @Test("At most 100 scheduled steps, and 4 MiB of a step with all that is added to it; what cannot be read is told")
    func limits() throws {
        func creating(_ count: Int) -> PerformedStepDataSet.Problem? {
            var set = Self.attributes()
            set.set(
                .scheduledStepAttributesSequence,
                items: (1...count).map { number in
                    var item = DataSet()
                    item.set(.studyInstanceUID, string: "1.2.\(number)")
                    return item
                })
            return problem {
                _ = try PerformedStepDataSet.create(set, sopInstanceUID: "1.9", performedBy: "CT1", at: time)
            }
        }
        #expect(creating(100) == nil)
        #expect(creating(101) == .tooMuch(.scheduledStepAttributesSequence))

        // Each change small enough for one message.
        var step = try created()
        var found: PerformedStepDataSet.Problem?
        for number in UInt16(0)..<5 where found == nil {
            var changes = DataSet()
            changes.set(DICOMData.Tag(0x0009, 0x0010), .LO, string: "TEST")
            changes.set(DICOMData.Tag(0x0009, 0x1000 + number), .OB, bytes: [UInt8](repeating: 1, count: 1_000_000))
            let before = step
            found = problem { step = try PerformedStepDataSet.update(before, with: changes, at: time).step }
            #expect(step.dataSet.count <= 4 << 20)
            #expect((found == nil) == (number < 4))
        }
        #expect(found == .tooMuch(.performedSeriesSequence))

        step.dataSet.removeLast(3)
        let broken = step
        #expect(throws: StoreError.self) { try PerformedStepDataSet.attributes(of: broken, asked: []) }
        #expect(throws: StoreError.self) {
            try PerformedStepDataSet.update(broken, with: Self.final("COMPLETED"), at: time)
        }
    }

    @Test("A step is told to others as it began, and then as it stands, in what each of the two messages may hold")
    func toldToOthers() throws {
        let step = try PerformedStepDataSet.update(try created(), with: Self.final("COMPLETED"), at: time).step
        let first = try PerformedStepDataSet.creation(of: step)
        #expect(first.string(.performedProcedureStepStatus) == "IN PROGRESS")
        #expect(first.string(.patientName) == "Müller^Ä" && first.string(.modality) == "CT")
        for tag: DICOMData.Tag in [
            .performedProcedureStepEndDate, .performedProcedureStepEndTime, .performedSeriesSequence,
        ] {
            #expect(first[tag] != nil && first.string(tag) == nil && first[tag]?.items?.isEmpty != false)
        }
        // The receiver takes it as it takes one of a modality.
        let taken = try PerformedStepDataSet.create(first, sopInstanceUID: "1.9", performedBy: "HILUM", at: time)
        let rest = try PerformedStepDataSet.modification(of: step)
        #expect(rest[.patientName] == nil && rest[.modality] == nil && rest[.scheduledStepAttributesSequence] == nil)
        let ended = try PerformedStepDataSet.update(taken, with: rest, at: time)
        #expect(ended.left.isEmpty && ended.step.status == .completed)
        #expect(
            try PerformedStepDataSet.attributes(of: ended.step, asked: [.performedSeriesSequence])
                == PerformedStepDataSet.attributes(of: step, asked: [.performedSeriesSequence]))
    }
}
