package plugin

import "encoding/binary"

// The statuses of package hooks/abi.
const (
	statusContinue = iota
	statusAllow
	statusDeny
	statusReplace
	statusDrop
)

// Fields of a response, see package hooks/abi.
const (
	responseStatus = iota
	responseCode
	responseMessage
	responseChannel
	responseEvent
	responseData
	responseUserID
	responseUserInfo
	responseFields
)

// Verdict is what a plugin decides.
type Verdict struct {
	status uint32
	r      *response // nil without fields
}

type response struct {
	code   uint32
	fields [responseFields][]byte // but for the first two; nil is absent
}

// Continue has no opinion: the next plugin is asked, and at last the server.
func Continue() Verdict { return Verdict{status: statusContinue} }

// Allow says yes, and no other plugin is asked.
func Allow() Verdict { return Verdict{status: statusAllow} }

// Deny says no, and the client is told why.
func Deny(message string) Verdict {
	return Verdict{status: statusDeny}.set(responseMessage, []byte(message))
}

// DenyCode is Deny with a code of the protocol: a close code for on_connect, an
// error code for the others.
func DenyCode(code uint32, message string) Verdict {
	v := Deny(message)
	v.r.code = code
	return v
}

// Drop has a message reach nobody, without telling its sender.
func Drop() Verdict { return Verdict{status: statusDrop} }

// Replace goes on with the fields that are set on it.
func Replace() Verdict { return Verdict{status: statusReplace, r: newResponse()} }

// Event sets the name of a message's event.
func (v Verdict) Event(b []byte) Verdict { return v.set(responseEvent, b) }

// Data sets a message's data.
func (v Verdict) Data(b []byte) Verdict { return v.set(responseData, b) }

// UserID sets a presence member's user_id, if the plugin authorizes in place of
// the signature.
func (v Verdict) UserID(b []byte) Verdict { return v.set(responseUserID, b) }

// UserInfo sets user_info, a JSON object.
func (v Verdict) UserInfo(b []byte) Verdict { return v.set(responseUserInfo, b) }

func (v Verdict) set(i int, b []byte) Verdict {
	if v.r == nil {
		v.r = newResponse()
	}
	if b == nil {
		b = []byte{} // set to nothing, which is not the same as absent
	}
	v.r.fields[i] = b
	return v
}

// frame appends the response frame to dst.
func (v Verdict) frame(dst []byte) []byte {
	const header = 8 + 8*responseFields
	le := binary.LittleEndian
	var start [header + 16]byte // the status and the code come first
	start[0], start[2] = 1, responseFields
	le.PutUint32(start[8:], header)
	le.PutUint32(start[12:], 8)
	le.PutUint64(start[header:], uint64(v.status))
	off := header + 8
	if v.r.code != 0 {
		le.PutUint32(start[16:], uint32(off))
		le.PutUint32(start[20:], 8)
		le.PutUint64(start[off:], uint64(v.r.code))
		off += 8
	}
	end := off
	for i := responseMessage; i < responseFields; i++ {
		if f := v.r.fields[i]; f != nil {
			le.PutUint32(start[8+8*i:], uint32(off))
			le.PutUint32(start[12+8*i:], uint32(len(f)))
			off += len(f)
		}
	}
	le.PutUint32(start[4:], uint32(off))
	dst = append(dst, start[:end]...)
	for _, f := range v.r.fields {
		dst = append(dst, f...)
	}
	return dst
}
