/// Codestreams that other programs made of images of 13 lines of 19 pixels, whose values are formulas.
enum PixelVectors {
    static let rows = 13
    static let columns = 19

    /// 8 bits: 19y + 7x + (xy mod 31).
    static var gray8: [UInt8] {
        (0..<rows * columns).map { index in
            let (y, x) = (index / columns, index % columns)
            return UInt8(truncatingIfNeeded: y * 19 + x * 7 + x * y % 31)
        }
    }

    /// 12 bits: 190y + 73x + (xxy mod 211), in two bytes each.
    static var gray12: [UInt8] {
        (0..<rows * columns).flatMap { index -> [UInt8] in
            let (y, x) = (index / columns, index % columns)
            let value = (y * 190 + x * 73 + x * x * y % 211) % 4_096
            return [UInt8(truncatingIfNeeded: value), UInt8(value >> 8)]
        }
    }

    /// Gray, its negative, and three times it.
    static var colour8: [UInt8] { gray8.flatMap { [$0, 255 - $0, $0 &* 3] } }

    /// The bytes of base64.
    static func bytes(_ base64: String) -> [UInt8] {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var out: [UInt8] = []
        var word = 0
        var count = 0
        for letter in base64.utf8 where letter != UInt8(ascii: "=") {
            word = (word << 6 | (alphabet.firstIndex(of: letter) ?? 0)) & 0xFFFF
            count += 6
            if count >= 8 {
                count -= 8
                out.append(UInt8(truncatingIfNeeded: word >> count))
            }
        }
        return out
    }

    /// `gray12` as JPEG Extended of 12 bits, by dcmcjpeg +ee +q 85.
    static let jpeg12 = bytes(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAUDBAQEAwUEBAQFBQUGBwwIBwcHBw8LCwkMEQ8SEhEPERETFhwXExQaFRERGCEY"
            + "Gh0dHx8fExciJCIeJBweHx7/wQALDAANABMBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAACgv/xAAoEAACAQMDAwMFAQAAAAAA"
            + "AAABAgMEBREHEiEGChMICRUAFCIjMVL/2gAIAQEAAD8Aid9vR2Otquy2q5XrR+WShpvD5FitfkdyzKioox/WZlUZIHPJAyQ/"
            + "L2UOx+6dWO009t0H6fmSW2SLOkNljl+23o/hlEzjdv3bVVlx5MF1RUXe6uNIuxto5tNLBLb9CdtI1GpiU9NkMq88Nmily4/j"
            + "ESMpbJXAwAiTt3u3z9FMenfT9QKariNTe6KiY09GsTfuDorZD87HKSAf6jXkHBD1/ZS7d/0VUU/Qqz03keasiCtBbBCnFRTx"
            + "yb4zK0f5mpZzsVMMvHBI+lmaQewZ6Im00sfzNk+RrhT7Zan4ehHkwxA4eJyOMDG7aMYUKuFH/9k=")

    /// What dcmdjpeg (the Independent JPEG Group's integer transform of 12 bits) makes of it.
    static let jpeg12Decoded = bytes(
        "AABVAI0A2gAiAWQBxQH4AUcCkALcAiQDagOyA/4DSgSQBNYEJgW6AAQBUQGmAfUBUgKSAvACQwOhA/wDVgS6BCoFdwURBXwF"
            + "6gVOBocBxwEVAmUCvAIYA3UD5ANJBK0EHgXGBCgFsAU7Bt4FYQb2BrIGMgKLAtwCKwObA+oDZATHBEAF7gRkBfQFuAU5BtQG"
            + "sAZfBxoH2gf2Ak8DlgP3A1sEzwQ1BcEFZgX9BZYGVgb8BucGhwd6BzUIQAg6CLYD/wNaBLoELwWhBSEG0gVtBgoH3AaPB3YH"
            + "YAdGCDgITQhECWgJeATEBB8FkQXsBXkGNgbHBmwHOAcKCPEH+QfZCPMIEQlBCXsJvAkvBYQF3QVGBssGUAcIB7gHmAdVCE4I"
            + "Xgg7CWUJmQnbCS0KgAr4CvUFQQajBhsHkgcsCPAHpQiRCJMIbQmOCcIJ9wlHCqYKFQuRC08LrAb+BmEH1QdbCCgI1wjDCJAJ"
            + "lgnECfoJNQqSCvwKcgsGDMsLgQx1B7sHJwiuCDIJAQm6CawJvgmzCt8KJQuFCygLoAs+DBEM2AzWDCQIgQjvCFwJAArYCZQK"
            + "mQqxCvEKMAuNCwgMfgxiDA0NAg0fDQQO7Qg+CaUJNArFCrEKqwqXC74L9AtPDMoMcwwpDQQNzA3uDRkOYA4=")

    /// `gray8` as progressive JPEG of quality 95, by Pillow.
    static let progressive = bytes(
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYGBwkIBgcJBwYGCAsI"
            + "CQoKCgoKBggLDAsKDAkKCgr/wgALCAANABMBAREA/8QAFwAAAwEAAAAAAAAAAAAAAAAABQYHCP/aAAgBAQAAAAFHvRJYziZ/"
            + "/8QAGxAAAgIDAQAAAAAAAAAAAAAAAwYEBwABAgX/2gAIAQEAAQUCV6gH0NdqMOR+ak0GzrQJXe5LY6u8WEh+WSJ//8QAKhAA"
            + "AQMCBAILAAAAAAAAAAAAAQIDEQQFAAYSMQchExQjJDJBUVJhceH/2gAIAQEABj8CDjtNy+sJ7gj5ETGE6+ImXAY2N3Yw3arH"
            + "Y2+lbuC2Osrc3009M9tGxNQkHz0oVBSVBSBQZmzdWVFO+4FrpkkNtnwxKUQI7NJj1k8iTKFzuPb+4//EAB4QAQEAAQQDAQAA"
            + "AAAAAAAAAAERACExQVFxkaGx/9oACAEBAAE/IeMYhvXowCmRD7B0DxgFugG/uO1tBsldY7ugZvs8IYUIE4SxCUTxPY4RE9Az"
            + "/9oACAEBAAAAELv/xAAcEAEBAAICAwAAAAAAAAAAAAABEQAhMUFRYeH/2gAIAQEAAT8Q6roFq4DtfrAXDtqFdVLXchW6+8jv"
            + "dCF2UfHOdmDpVWEstnDCrzA/YudnNp98FFCgqBLE7ArvP//Z")

    /// `gray8` as reversible HTJ2K of two decompositions, by ojph_compress.
    static let htj2k8 = bytes(
        "/0//UQApQAAAAAATAAAADQAAAAAAAAAAAAAAEwAAAA0AAAAAAAAAAAABBwEB/1AACAACAAAAA/9SAAwAAgABAAIEBEAB/1wA"
            + "CiBQWFhYUFBY/2QAFgABT3BlbkpQSCBWZXIgMC45LjAu/5AACgAAAAABDQAB/5PAFuD/dGTgFxO5AMbBgSTGEZr7yc0KdKTi"
            + "G+CBqLoAwAtWAFqwAtNLCwYoFrAtU0mNGPsHNjwcA3pQWQBbhIMdQWFDPlhi/gAAvh/MY30YWgBXJSBwKJg25mOaAEXtnHwR"
            + "EFkAwBdpAF2UALrAP3L238jicxy/dq4IrWDInBK/NOVE2JdURriKgwfooQu1me5oXoLgQkg6Mkl8kWUZSu/WAdXKKGrux/2X"
            + "FEXDYAXA4tOj4cfyo7EQ5evXZ0KOhQdCw8qCA2CA4vksylBLhkmaf9AB79d/rT3ddb4dsP9p8c+bjv9dt0C7PD2dnqfzgOQc"
            + "BEUXyPMu5ILKKldT0QH/2Q==")

    /// `gray12` as reversible HTJ2K, by ojph_compress.
    static let htj2k12 = bytes(
        "/0//UQApQAAAAAATAAAADQAAAAAAAAAAAAAAEwAAAA0AAAAAAAAAAAABCwEB/1AACAACAAAAB/9SAAwAAgABAAEEBEAB/1wA"
            + "ByBwcHB4/2QAFgABT3BlbkpQSCBWZXIgMC45LjAu/5AACgAAAAABOwAB/5PAAXug/0/Q21692wZqkhN529V7lOFXjLb0ocu3"
            + "6rUOnFDHPSO5UT9fT58Wzb00rQ19+hCVfQqgILN/QkzDAnELgyzYjBLtSuJFtqmCQJ3MkCC5h4Qz6pdx9c4EsQAq96z5AH3e"
            + "n77mgNQyimCBGco0QgAaIQAxtwHAAXosABdrAALsAJ++6cgyi8/k94VU4B9Uhszc/mOEHI/JY+JY49h3Fw1bj0pK5M3FxRLh"
            + "0kCia/ZBAu+n7OROgVStO3AkVHCN4Ih22cdXAUmI2bCbOMys6aFl0JhmzEZDyGQCM3g8Z5lBT8KZ6IKbhuZsAmiYAYvK9Tmr"
            + "72IQAAGmc9ABaTQ0UnQ6bSfNTjQ8pDzR0Wlo0mnRaTvTnJ2hpenSnZgJf68v10yudjH+GClkI9EB/9k=")

    /// `colour8` as reversible HTJ2K with the colour transformation, by ojph_compress.
    static let htj2kColour = bytes(
        "/0//UQAvQAAAAAATAAAADQAAAAAAAAAAAAAAEwAAAA0AAAAAAAAAAAADBwEBBwEBBwEB/1AACAACAAAABf9SAAwAAgABAQUE"
            + "BEAB/1wAEyBYYGBoYGBoYGBoYGBgWFhg/2QAFgABT3BlbkpQSCBWZXIgMC45LjAu/5AACgAAAAAEAQAB/5PACUD4AEd0AMAJ"
            + "AP4XcwDACUDzAMd0AMAEoP0AR3QAwASgpAEHdADABKDYAQd0AMAEsAE0ACX6AEd0ACPyAIF0AMcAh3QAwASwATwAJfwAx3QA"
            + "FCL9AgF0AP4AR3QAwARwATwAJSdzAKqL/QIBdAAoAYd0AMAE0AFVAAqAWsUAynQAiggBMP0gg3+VAAHyMP4ARrQAwAVEAFbA"
            + "AqBe1VnzAEOUACAwXnhBhv4AAQC/lgAFEObPAGGUAMAFRABXQAJwC/5Z8QBDlAAHmLVCDjqw/AAhgL+WAAgVtwBjlADABakA"
            + "FqwAWmByaUl2S0qoUUDSivws7KHD6QM4AGbHG81gZcockhDwAABe38AX8iuaAB5hF3ZRh8MT4tgBC592L2TZmQDABbcAFtwA"
            + "WwDG7CicyHumw+YaDDGo8YikZAHOypED4IlxugCgk+RE+zmYKcJkZIUi3hShAMF4/mQbwhAzmwCA1iF1YV3aHu6DUB4R4iF7"
            + "3+ELwhASmgDABa8AFrQAWqBblbAE1Ua87WJW5k1h2g5seDhG/JBZAPcgdnAPAUMN8YNLnAIL4fzIN5IYWgDv6mfQYZH5Id/H"
            + "av4ELrZpvDEQWQDAC7eAF20AF1z258J3vohWek9EXM79JpsDYBiA4B6BggBQNAzCMUU/cDv3+AAF2tz2tM8jBW5Byq7i5U9p"
            + "h1QBAAJcVPgBM41QhVV8utc2iOnc3gtDVUTkfMq50gBFEMYayIxF+Nz8FK+NY0iHBoAEyJYpM58AARcEIYQTBC+3jwuDwzYN"
            + "67fbXHsOg8do7s5a17wDDM0yhdNSODYRkyfAsiuQAcAL0yAF6XABd6De/3k9/r//dQEW9/t5cgji6v91uhYdPzy87vulEtLi"
            + "GEEOxcvkz9zG68fz+0VkfPBWR+8H/AAQLtZnubqFzJXkaA6q7yDEp7AEh1cBPt6PL+8XX7Ufni/RSVaF9IPfHw9Hl2DObli2"
            + "p0wlrVxhLgP19Pj58wHkxwVECjo26KdllVdPj1wDMI2ji6SUlwaEEoAgBAQAE1MBfv9/3/9v+4F7vz89gcQc8L8P7g3uCep/"
            + "/tnzn2D2/B94LqK4ivT2DPUEHNBxJWoRHZG4WsgAAuLwQR9TAcALuYAXcwAXYv8hPub/DrXx83j806JXDGWBYcZJ4m9a5eng"
            + "fomKEVyLBt2Mf8Tsz3PC9BcCEkGkZJL5IWUJldvXAVPWHA1lnH+875VpNDQYbAHAIiiPDn9c/ti4IKJff/2sUIcFDwcdtvyB"
            + "AbBAcXyWZSgSgBqRmvvRAd273t22dXqvJ7gHmP9Tx3++6fF/8FtEcwnl6dnj6fmA5BwERRcAjzLuyCygkldz0gH/2Q==")
}
