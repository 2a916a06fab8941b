import HTTPSupport
import Workflow

/// Due steps that modalities are not shown, for the person who can tell what they lack.
enum WaitingStepsView {
    static func json(_ steps: [WaitingStep]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("total", steps.count)
            json.array("steps") { json in
                for item in steps {
                    json.object { json in
                        json.member("missing", item.missing.map(\.rawValue).joined(separator: " "))
                        json.member("stepID", item.step.stepID)
                        for (name, value) in [
                            ("accessionNumber", item.order.accession?.value), ("filler", item.order.filler?.value),
                            ("placer", item.order.placer?.value), ("procedure", item.order.code.displayText),
                            ("modality", item.order.modality(of: item.step)),
                            ("stationAETitle", item.step.stationAETitle),
                            ("scheduledStart", item.step.scheduledStart?.text),
                        ] {
                            if let value { json.member(name, value) }
                        }
                    }
                }
            }
        }
        return json.bytes
    }
}
