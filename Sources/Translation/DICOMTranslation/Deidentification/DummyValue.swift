import DICOMData

/// Values that say nothing, valid for their VR. PS3.15 §E.1.1, PS3.5 §6.2.
enum DummyValue {
    /// Nothing for the VRs that hold sequences and UIDs: those are made from what they take the place of.
    static func bytes(_ vr: VR) -> [UInt8] {
        switch vr {
        case .AE, .CS: Array("REMOVED".utf8)
        case .AS: Array("000D".utf8)
        case .DA: Array("19000101".utf8)
        case .DT: Array("19000101000000".utf8)
        case .TM: Array("000000".utf8)
        case .DS, .IS: Array("0".utf8)
        case .UR: Array("urn:removed".utf8)
        case .LO, .LT, .PN, .SH, .ST, .UC, .UT: Array("Removed".utf8)
        case .SQ, .UI: []
        case .AT, .FD, .FL, .SL, .SS, .SV, .UL, .US, .UV: [UInt8](repeating: 0, count: vr.numberSize ?? 0)
        case .OB, .OD, .OF, .OL, .OV, .OW, .UN: [UInt8](repeating: 0, count: max(2, vr.wordSize))
        }
    }
}
