import DICOMData
import Testing
import Workflow

@testable import DICOMTranslation

/// PS3.4 Table CC.2.5-3: what a workitem must have, what may change, what its end needs; §CC.2.8: its keys.
@Suite struct WorkitemDataSetTests {
    private typealias Problem = AttributeProblem
    private static let time = UTCInstant(microseconds: 1_767_607_200_123_456)

    private static func code(_ value: String) -> DataSet {
        var item = DataSet()
        item.set(.codeValue, string: value)
        item.set(.codingSchemeDesignator, string: "99X")
        item.set(.codeMeaning, string: "Meaning \(value)")
        return item
    }

    private static func attributes() -> DataSet {
        var request = DataSet()
        request.set(.accessionNumber, string: "A1")
        var set = DataSet()
        set.set(.specificCharacterSet, string: "ISO_IR 100")
        set.set(.procedureStepState, string: "SCHEDULED")
        set.set(.scheduledProcedureStepPriority, string: "HIGH")
        set.set(.procedureStepLabel, string: "Schädel auswerten")
        set.set(.worklistLabel, string: "CAD")
        set.set(.scheduledProcedureStepStartDateTime, string: "20260105101500")
        set.set(.inputReadinessState, string: "READY")
        set.set(.patientName, string: "Müller^Eva")
        set.set(.patientID, string: "P1")
        set.set(.patientBirthDate, string: "19700101")
        set.set(.scheduledStationNameCodeSequence, items: [code("S1"), code("S2")])
        set.set(.referencedRequestSequence, items: [request])
        return set
    }

    private static func create(_ set: DataSet = attributes()) throws -> Workitem {
        try WorkitemDataSet.create(set, sopInstanceUID: "1.9", createdBy: "RIS", at: time).workitem
    }

    private static func problem(_ change: (inout DataSet) -> Void) -> Problem? {
        var set = attributes()
        change(&set)
        do {
            _ = try create(set)
            return nil
        } catch {
            return error as? Problem
        }
    }

    @Test(
        "Created: Type 2 attributes are there, the server's time too, and what it is found by; no label: DEFAULT, and said"
    )
    func created() throws {
        let (workitem, isModified) = try WorkitemDataSet.create(
            Self.attributes(), sopInstanceUID: "1.9", createdBy: "RIS", at: Self.time)
        #expect(!isModified)
        #expect(workitem.state == .scheduled && workitem.patientID == "P1" && workitem.worklistLabel == "CAD")
        #expect(workitem.scheduledStart == UTCInstant(microseconds: 1_767_608_100_000_000))
        let kept = try WorkitemDataSet.attributes(of: workitem)
        #expect(kept.string(.procedureStepLabel) == "Schädel auswerten")
        #expect(kept.string(.scheduledProcedureStepModificationDateTime) == "20260105100000.123456+0000")
        #expect(kept[.inputInformationSequence]?.isEmpty == true)
        #expect(kept[.unifiedProcedureStepPerformedProcedureSequence]?.isEmpty == true)
        #expect(kept.string(.sopClassUID) == UID.unifiedProcedureStepPush)
        #expect(!kept.contains(.transactionUID))
        var set = Self.attributes()
        set.setEmpty(.worklistLabel)
        let other = try WorkitemDataSet.create(set, sopInstanceUID: "1.9", createdBy: "RIS", at: Self.time)
        #expect(other.isModified && other.workitem.worklistLabel == "DEFAULT")
    }

    @Test("Each fault of a creation by its attribute; another state than SCHEDULED is a refusal of its own")
    func faults() {
        for tag in [
            Tag.scheduledProcedureStepPriority, .procedureStepLabel, .scheduledProcedureStepStartDateTime,
            .inputReadinessState, .procedureStepState,
        ] {
            #expect(Self.problem { $0.remove(tag) } == .missing(tag))
            if tag != .procedureStepState { #expect(Self.problem { $0.setEmpty(tag) } == .empty(tag)) }
        }
        #expect(
            Self.problem { $0.set(.scheduledProcedureStepPriority, string: "STAT") }
                == .value(.scheduledProcedureStepPriority))
        #expect(Self.problem { $0.set(.inputReadinessState, string: "LATER") } == .value(.inputReadinessState))
        #expect(
            Self.problem { $0.set(.scheduledProcedureStepStartDateTime, string: "20261399") }
                == .value(.scheduledProcedureStepStartDateTime))
        #expect(Self.problem { $0.set(.transactionUID, string: "1.1") } == .value(.transactionUID))
        #expect(Self.problem { $0.set(.studyInstanceUID, string: "../x") } == .value(.studyInstanceUID))
        for tag in [Tag.procedureStepProgressInformationSequence, .unifiedProcedureStepPerformedProcedureSequence] {
            #expect(Self.problem { $0.set(tag, items: [Self.code("1")]) } == .value(tag))
        }
        #expect(
            Self.problem {
                $0.set(.commentsOnTheScheduledProcedureStep, .UT, string: String(repeating: "x", count: 1 << 20))
            } == .tooMuch(.inputInformationSequence))
        for state in ["IN PROGRESS", "", "scheduled"] {
            var set = Self.attributes()
            set.set(.procedureStepState, string: state)
            #expect(throws: WorkitemRefusal.notScheduled) { try Self.create(set) }
        }
    }

    @Test(
        "§CC.2.6: what may change is changed in one character set and told by its kind; the patient and the state are not"
    )
    func updated() throws {
        var workitem = try Self.create()
        var changes = DataSet()
        changes.set(.specificCharacterSet, string: "ISO_IR 192")
        changes.set(.procedureStepLabel, string: "頭部")
        changes.set(.patientID, string: "P1")
        #expect(try WorkitemDataSet.update(&workitem, with: changes, at: Self.time).changes == [])
        let kept = try WorkitemDataSet.attributes(of: workitem)
        #expect(kept.string(.procedureStepLabel) == "頭部")
        #expect(kept.string(.patientName) == "Müller^Eva")
        func changed(_ fill: (inout DataSet) -> Void) throws -> WorkitemDataSet.Changes {
            var changes = DataSet()
            fill(&changes)
            return try WorkitemDataSet.update(&workitem, with: changes, at: Self.time).changes
        }
        #expect(try changed { $0.set(.inputReadinessState, string: "READY") } == [])
        #expect(try changed { $0.set(.inputReadinessState, string: "INCOMPLETE") } == .inputReadiness)
        #expect(try changed { $0.set(.scheduledStationNameCodeSequence, items: [Self.code("S9")]) } == .assignment)
        var progress = DataSet()
        progress.set(.procedureStepProgress, string: "40")
        #expect(try changed { $0.set(.procedureStepProgressInformationSequence, items: [progress]) } == .progress)
        let before = workitem
        for (tag, text) in [(Tag.patientID, "P2"), (.procedureStepState, "COMPLETED"), (.sopInstanceUID, "1.8")] {
            #expect(throws: Problem.value(tag)) { try changed { $0.set(tag, string: text) } }
        }
        #expect(throws: Problem.empty(.procedureStepLabel)) { try changed { $0.setEmpty(.procedureStepLabel) } }
        #expect(throws: Problem.value(.procedureStepProgressInformationSequence)) {
            try changed { $0.set(.procedureStepProgressInformationSequence, items: [progress, progress]) }
        }
        #expect(workitem == before)
    }

    @Test(
        "Table CC.2.5-1: COMPLETED needs each attribute of code P; CANCELED is supplied with time and reason, those given kept"
    )
    func finalStates() throws {
        var performed = DataSet()
        performed.set(.performedStationNameCodeSequence, items: [Self.code("S1")])
        performed.set(.performedProcedureStepStartDateTime, string: "20260105101500")
        performed.set(.performedProcedureStepEndDateTime, string: "20260105102000")
        performed.set(.performedWorkitemCodeSequence, items: [Self.code("W1")])
        performed.setEmpty(.outputInformationSequence)
        var set = Self.attributes()
        #expect(!WorkitemDataSet.meets(.completed, set))
        set.set(.unifiedProcedureStepPerformedProcedureSequence, items: [performed])
        #expect(WorkitemDataSet.meets(.completed, set))
        for element in performed.elements {
            var less = performed
            less.remove(element.tag)
            set.set(.unifiedProcedureStepPerformedProcedureSequence, items: [less])
            #expect(!WorkitemDataSet.meets(.completed, set), "\(element.tag)")
        }
        #expect(!WorkitemDataSet.meets(.canceled, set))
        var request = DataSet()
        request.set(.specificCharacterSet, string: "ISO_IR 192")
        request.set(.reasonForCancellation, string: "Grund: 頭")
        request.set(.procedureStepDiscontinuationReasonCodeSequence, items: [Self.code("R1")])
        var other = set
        WorkitemDataSet.supplementCancellation(&set, at: Self.time)
        #expect(WorkitemDataSet.meets(.canceled, set))
        let progress = try #require(set.item(.procedureStepProgressInformationSequence))
        #expect(progress.string(.procedureStepCancellationDateTime) == "20260105100000.123456+0000")
        #expect(
            progress.item(.procedureStepDiscontinuationReasonCodeSequence)?.string(.codeValue) == "110513")
        WorkitemDataSet.supplementCancellation(&other, request: request, at: Self.time)
        let told = try #require(other.item(.procedureStepProgressInformationSequence))
        #expect(told.string(.reasonForCancellation) == "Grund: 頭")
        #expect(told.item(.procedureStepDiscontinuationReasonCodeSequence)?.string(.codeValue) == "R1")
        #expect(other.string(.patientName) == "Müller^Eva")
    }

    private static func matches(_ fill: (inout DataSet) -> Void) throws -> Bool {
        var identifier = DataSet()
        identifier.set(.specificCharacterSet, string: "ISO_IR 192")
        fill(&identifier)
        let keys = try WorkitemKeys(identifier)
        let workitem = try create()
        let isMatch = keys.matches(try WorkitemDataSet.attributes(of: workitem))
        // What the index leaves is never less than what matches.
        if isMatch { #expect(keys.selection.contains(workitem)) }
        return isMatch
    }

    @Test(
        "§CC.2.8.3: single values, wildcards, names, ranges of times, lists, items and universal keys match as §C.2.2.2 says"
    )
    func keys() throws {
        for (isMatch, tag, text) in [
            (true, Tag.procedureStepState, "SCHEDULED"), (false, .procedureStepState, "COMPLETED"),
            (true, .procedureStepState, ""), (true, .worklistLabel, "C*"), (false, .worklistLabel, "c*"),
            (true, .patientName, "müller^eva"), (true, .patientName, "M*"), (false, .patientName, "Muster*"),
            (true, .patientID, "P1"), (false, .patientID, "P2"), (true, .patientBirthDate, "19691231-19700101"),
            (true, .scheduledProcedureStepStartDateTime, "20260105"),
            (true, .scheduledProcedureStepStartDateTime, "2026010510-20260105103000"),
            (false, .scheduledProcedureStepStartDateTime, "20260105101600-"),
            (true, .scheduledProcedureStepStartDateTime, "20260105121500+0200"),
            (true, .scheduledProcedureStepStartDateTime, "-20260105101500"),
            (false, .scheduledProcedureStepStartDateTime, "-20260105101459"),
            (true, .sopInstanceUID, "1.8\\1.9"), (false, .sopInstanceUID, "1.8"),
            (true, .studyInstanceUID, "\"\""), (false, .patientID, "\"\""),
        ] { #expect(try Self.matches { $0.set(tag, .UT, string: text) } == isMatch, "\(tag) \(text)") }
        func inner(_ tag: DICOMData.Tag, _ text: String) -> DataSet {
            var item = DataSet()
            item.set(tag, string: text)
            return item
        }
        #expect(try Self.matches { $0.set(.scheduledStationNameCodeSequence, items: [inner(.codeValue, "S2")]) })
        #expect(try !Self.matches { $0.set(.scheduledStationNameCodeSequence, items: [inner(.codeValue, "S3")]) })
        #expect(try Self.matches { $0.set(.referencedRequestSequence, items: [inner(.accessionNumber, "A1")]) })
        // All keys of an item hold for one and the same.
        var two = inner(.codeValue, "S1")
        two.set(.codeMeaning, string: "Meaning S2")
        #expect(try !Self.matches { $0.set(.scheduledStationNameCodeSequence, items: [two]) })
        #expect(try Self.matches { $0.setEmpty(.inputInformationSequence) })
    }

    @Test("PS3.3 Table C.12-1: times in items are local to the workitem's own offset, too")
    func localTimes() throws {
        var performed = DataSet()
        performed.set(.performedProcedureStepStartDateTime, string: "20260105003000")
        var attributes = DataSet()
        attributes.set(.timezoneOffsetFromUTC, string: "+0100")
        attributes.set(.unifiedProcedureStepPerformedProcedureSequence, items: [performed])
        for (isMatch, text) in [(true, "20260104"), (false, "20260105"), (true, "20260104233000+0000")] {
            var key = DataSet()
            key.set(.performedProcedureStepStartDateTime, string: text)
            var identifier = DataSet()
            identifier.set(.unifiedProcedureStepPerformedProcedureSequence, items: [key])
            #expect(try WorkitemKeys(identifier).matches(attributes) == isMatch, "\(text)")
        }
    }

    @Test("Keys that are none are refused; what is asked for is answered, each present, and no Transaction UID")
    func identifier() throws {
        for (tag, text) in [
            (Tag.scheduledProcedureStepStartDateTime, "soon"), (.patientBirthDate, "1970"), (.transactionUID, "1.1"),
            (.transactionUID, ""), (.sopInstanceUID, "x"),
        ] {
            var identifier = DataSet()
            identifier.set(tag, .UT, string: text)
            #expect(throws: QueryKeys.Problem.badValue(tag), "\(tag) \(text)") { try WorkitemKeys(identifier) }
        }
        var identifier = DataSet()
        identifier.set(.scheduledStationNameCodeSequence, items: [Self.code(""), Self.code("")])
        #expect(throws: QueryKeys.Problem.badValue(.scheduledStationNameCodeSequence)) {
            try WorkitemKeys(identifier)
        }
        var many = DataSet()
        for element in 0...UInt16(WorkitemKeys.keysMax) { many.setEmpty(Tag(0x0011, 0x1000 + element), .LO) }
        #expect(throws: QueryKeys.Problem.self) { try WorkitemKeys(many) }
        identifier = DataSet()
        for tag in [Tag.patientID, .sopClassUID, .sopInstanceUID, .performedWorkitemCodeSequence] {
            identifier.setEmpty(tag)
        }
        let answer = try WorkitemKeys(identifier).response(
            for: WorkitemDataSet.attributes(of: try Self.create()))
        #expect(answer.string(.patientID) == "P1")
        #expect(answer.string(.sopInstanceUID) == "1.9")
        #expect(answer[.performedWorkitemCodeSequence]?.isEmpty == true)
        #expect(answer[.worklistLabel] == nil)
    }

    @Test("The text of a time has all its digits, in UTC, also before 1970")
    func times() {
        #expect(DICOMDateTime.text(microseconds: 0) == "19700101000000.000000+0000")
        #expect(DICOMDateTime.text(microseconds: -1) == "19691231235959.999999+0000")
        for microseconds in [0, -1, 1_767_607_200_123_456, -62_000_000_000_000] as [Int64] {
            let text = DICOMDateTime.text(microseconds: microseconds)
            #expect(DICOMDateTime(text: text)?.microseconds().lowerBound == Int(microseconds))
        }
    }
}
