# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_mjpegd_global_optspecs
    string join \n camera= max-viewers= fps= stall-timeout= tls-ca= tls-insecure= max-frame-size= min-frame-size= every= drop-same-frames= allow-truncated= rotate= flip= overlay= overlay-position= overlay-size= overlay-box= watch= remove-shown= idle-timeout= resolution= snapshot-resolution= format= input= tv-standard= dv-timings= quality= encoder= control= warmup= record= record-fps= record-max-size= record-max-age= record-sync= record-segment= record-on= record-before= record-before-size= record-after= on-segment= motion= motion-sensitivity= motion-fps= motion-min-size= motion-hold= motion-zone= motion-mask= state-dir= on= on-timeout= webhook= webhook-key-file= mqtt= mqtt-password-file= mqtt-snapshot= mqtt-discovery= config= print-config= bind= unix-mode= threads= max-variants= write-timeout= exit-on-lost= exit-on-device-error= exit-on-no-viewers= drain-timeout= www= lost-snapshot= instance-id= head-timeout= max-head= max-connections= max-leaks= lock-controls= auth-file= trusted-proxy= allow-origin= h/help V/version
end

function __fish_mjpegd_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_mjpegd_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_mjpegd_using_subcommand
    set -l cmd (__fish_mjpegd_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c mjpegd -n "__fish_mjpegd_needs_command" -l camera -d 'Where the pictures come from; give it several times, each with a name, for several cameras' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l max-viewers -d 'How many viewers this camera may have at once; as many as there are seats if not given' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l fps -d 'Pictures a second to take or to show; the source\'s own pace if not given' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l stall-timeout -d 'After this time without a picture, reopen the device, restart the command or ask the server again; 5s if not given. A server or command whose pictures come at a slow pace gets longer' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l tls-ca -d 'Accept this certificate of an https camera or mqtts broker, or those that it signed: a PEM file, or sha256:FINGERPRINT; Mozilla\'s authorities if not given' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l tls-insecure -d 'Accept any certificate of an https camera or mqtts broker: others in the network can then read pictures and password' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l max-frame-size -d 'The largest picture to accept; larger ones are dropped' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l min-frame-size -d 'Drop pictures that are smaller than this, as some devices give pieces of pictures' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l every -d 'Take one picture of every N and skip the others' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l drop-same-frames -d 'Leave out pictures that are the same as the last one, byte by byte, but at most N in a row; for a screen or slides, as a webcam never gives the same twice' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l allow-truncated -d 'Show pictures that lack their end, also beside whole ones; without this option they are shown only while no whole one comes' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l rotate -d 'Rotate the pictures clockwise without loss; exif: by each picture\'s own orientation, which browsers follow and other programs do not' -r -f -a "0\t''
90\t''
180\t''
270\t''
exif\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l flip -d 'Flip the pictures without loss, after they were rotated; horizontal: left becomes right' -r -f -a "none\t''
horizontal\t''
vertical\t''
both\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l overlay -d 'Text over the pictures: fields of strftime in local time, such as "%F %T", and {camera} and {host}; \\n begins a new line' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l overlay-position -d 'Where this text lies: top-left, top, top-right, left, center, right, bottom-left, bottom or bottom-right' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l overlay-size -d 'How large its letters are: small, medium, large, per cent of the picture\'s height as 5%, or pixels as 20px' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l overlay-box -d 'Put a dark box behind this text; without this option its letters have a dark edge' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l watch -d 'With images:DIR, show each file when it is complete, as another program puts it there' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l remove-shown -d 'With --watch, delete each file once it was read' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l idle-timeout -d 'How long the camera stays on after the last viewer; 0: always on' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l resolution -d 'Size of the pictures; the device may choose the nearest that it has' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l snapshot-resolution -d 'Size of snapshots: the device changes to it for each, which stops the stream for a moment' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l format -d 'Format to ask the device for: auto, MJPG, YUYV or another FourCC' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l input -d 'Input of the device, by its number; `mjpegd devices` lists them' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l tv-standard -d 'Standard of an analogue signal: PAL, NTSC or SECAM' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l dv-timings -d 'Take size and rate of a digital signal (HDMI, DVI, SDI) from the signal, and follow it' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l quality -d 'Quality of JPEGs that are made from raw pictures, 1 to 100' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l encoder -d 'Who makes them: auto takes the board\'s hardware encoder where it has one, or software' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l control -d 'A control to set each time the device is opened, such as brightness=40; may be given several times' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l warmup -d 'Pictures to drop after opening, until the exposure has settled' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record -d 'Record into this folder while the daemon runs' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-fps -d 'Record at most this many pictures a second; 0.1 is one in ten seconds' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-max-size -d 'How large the recording may get; the oldest minutes are deleted first' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-max-age -d 'How old a recorded picture may get; 0: no limit but the size' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-sync -d 'How often to sync the recording to disk, 1s or less: a power cut costs at most what was recorded in this time; 0: after each picture' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-segment -d 'How long a file of the recording is, 1s to 1h; a minute if not given, longer for few pictures' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-on -d 'Record always, or only around what moves, which --motion finds' -r -f -a "always\t''
motion\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-before -d 'With --record-on motion: how long before a motion the record begins, from memory' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-before-size -d 'How much memory that may take' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l record-after -d 'With --record-on motion: how long to go on behind the end of a motion' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l on-segment -d 'Run this command for each finished file of the recording, one after the other and again until it succeeds; MJPEGD_SEGMENT has the path. What waits for it is not deleted' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l motion -d 'Look for motion; keeps the camera on' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l motion-sensitivity -d 'How small a difference counts as motion, 1 to 100' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l motion-fps -d 'Pictures a second to look at' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l motion-min-size -d 'The smallest thing that counts, in percents of the picture\'s area' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l motion-hold -d 'Motion ends after this time without any' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l motion-zone -d 'Look in this part of the picture only: corners as X,Y from 0 to 1, such as "0,0.5 1,0.5 1,1 0,1" for the lower half; may be given several times' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l motion-mask -d 'Do not look in this part of the picture; as --motion-zone' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l state-dir -d 'Keep what is drawn on the page in a folder of the camera\'s name in DIR; without it, in that of --record' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l on -d 'Run a shell command at each event of a type, with what happened in its environment (MJPEGD_EVENT, MJPEGD_CAMERA, ...); may be given several times' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l on-timeout -d 'How long a command of --on may run before it is ended' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l webhook -d 'Send each event as JSON to this address, by POST' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l webhook-key-file -d 'File with a key that signs what --webhook sends (HMAC-SHA256)' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l mqtt -d 'Publish events, states and pictures at this MQTT broker, such as mqtt://USER@HOST/PREFIX; topics begin with the prefix' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l mqtt-password-file -d 'File with the password of the user of --mqtt' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l mqtt-snapshot -d 'How often --mqtt publishes a picture of a camera that is on anyway; 0: only when something begins to move' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l mqtt-discovery -d 'Where Home Assistant looks for cameras at the broker; none: do not announce them' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l config -d 'File with cameras and options; SIGHUP reads it again' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l print-config -d 'Print the options that are given here, in the environment and in the file, as a command line and as a file for --config, instead of serving' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l bind -d 'Address and port to listen on: 0.0.0.0:5000 for the whole network, :5000 for IPv6 too, or unix:PATH for a Unix socket; may be given several times' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l unix-mode -d 'Who may connect to Unix sockets: the mode of their files, such as 660' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l threads -d 'How many viewers there may be at once; further ones are asked to come back later' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l max-variants -d 'How many variants of pictures, smaller or coarser ones for those who ask, may be made at once; 0: none' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l write-timeout -d 'How long it may take to send one picture to a viewer before the viewer loses its seat' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l exit-on-lost -d 'End with exit code 1 once a camera has been lost for this time, for supervisors that start the program again; 0: never' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l exit-on-device-error -d 'End with exit code 1 as soon as a camera is lost' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l exit-on-no-viewers -d 'End with exit code 0 once nobody has asked for a stream or a snapshot for this time; 0: never' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l drain-timeout -d 'At SIGTERM, refuse new viewers and disconnect those who watch one after the other within this time, then end; 0: end at once. SIGUSR2 does the same without the end' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l www -d 'Folder with the files of the page, instead of those in the program' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l lost-snapshot -d 'What a snapshot of a lost camera is: 503 with the cause, or the drawn picture' -r -f -a "503\t''
picture\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l instance-id -d 'Name of this program in /state and in the cookies of its streams, as uStreamer has it' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l head-timeout -d 'How long a client may take to send its request' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l max-head -d 'How many bytes a client may send before its request is complete' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l max-connections -d 'How many connections there may be at once; 256 more than viewers if not given, or fewer if the limit of open files is lower' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l max-leaks -d 'How many connections may be lost to faults of the HTTP library before the program restarts itself; while people watch, it waits until four times as many are lost' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l lock-controls -d 'Refuse to change controls of cameras by HTTP' -r -f -a "true\t''
false\t''"
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l auth-file -d 'File with user:password lines, the password plain or hashed; a login is then required for all addresses but /healthz and /readyz' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l trusted-proxy -d 'Believe what proxies of this address or network say of their clients (X-Forwarded-For, -Host and -Proto, or Forwarded), or of Unix sockets (unix); may be given several times' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -l allow-origin -d 'Let scripts of pages of this origin (or * for any) read the camera from a visitor\'s browser; those of a named origin may also set controls and switch recording' -r
complete -c mjpegd -n "__fish_mjpegd_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c mjpegd -n "__fish_mjpegd_needs_command" -s V -l version -d 'Print version'
complete -c mjpegd -n "__fish_mjpegd_needs_command" -f -a "devices" -d 'List the cameras of this machine, their formats, sizes, rates and controls'
complete -c mjpegd -n "__fish_mjpegd_needs_command" -f -a "check-config" -d 'Check a file for --config, and print its first error'
complete -c mjpegd -n "__fish_mjpegd_needs_command" -f -a "probe" -d 'Measure a stream of any server: rate, sizes, age of its pictures'
complete -c mjpegd -n "__fish_mjpegd_needs_command" -f -a "grab" -d 'Save pictures from a stream of any server as files'
complete -c mjpegd -n "__fish_mjpegd_needs_command" -f -a "health" -d 'Ask a daemon whether it works: exit code 0, or 1 and why not; for containers'
complete -c mjpegd -n "__fish_mjpegd_needs_command" -f -a "doctor" -d 'Look for what keeps the daemon from showing pictures here, and say what helps: exit code 0, or 1 if something is to do'
complete -c mjpegd -n "__fish_mjpegd_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand devices" -l json -d 'As JSON, for programs'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand devices" -s h -l help -d 'Print help'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand check-config" -s h -l help -d 'Print help'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand probe" -l duration -d 'How long to measure' -r
complete -c mjpegd -n "__fish_mjpegd_using_subcommand probe" -l json -d 'Print JSON, for programs'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand probe" -s h -l help -d 'Print help'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand grab" -s n -l number -d 'How many pictures to save' -r
complete -c mjpegd -n "__fish_mjpegd_using_subcommand grab" -s o -l output -d 'The folder for the pictures, created if it does not exist' -r -F
complete -c mjpegd -n "__fish_mjpegd_using_subcommand grab" -l timeout -d 'Give up after this time without a picture' -r
complete -c mjpegd -n "__fish_mjpegd_using_subcommand grab" -l overwrite -d 'Replace files of the same name'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand grab" -s h -l help -d 'Print help'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand health" -l timeout -d 'Give up after this time' -r
complete -c mjpegd -n "__fish_mjpegd_using_subcommand health" -s h -l help -d 'Print help'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand help; and not __fish_seen_subcommand_from devices check-config probe grab health doctor help" -f -a "devices" -d 'List the cameras of this machine, their formats, sizes, rates and controls'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand help; and not __fish_seen_subcommand_from devices check-config probe grab health doctor help" -f -a "check-config" -d 'Check a file for --config, and print its first error'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand help; and not __fish_seen_subcommand_from devices check-config probe grab health doctor help" -f -a "probe" -d 'Measure a stream of any server: rate, sizes, age of its pictures'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand help; and not __fish_seen_subcommand_from devices check-config probe grab health doctor help" -f -a "grab" -d 'Save pictures from a stream of any server as files'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand help; and not __fish_seen_subcommand_from devices check-config probe grab health doctor help" -f -a "health" -d 'Ask a daemon whether it works: exit code 0, or 1 and why not; for containers'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand help; and not __fish_seen_subcommand_from devices check-config probe grab health doctor help" -f -a "doctor" -d 'Look for what keeps the daemon from showing pictures here, and say what helps: exit code 0, or 1 if something is to do'
complete -c mjpegd -n "__fish_mjpegd_using_subcommand help; and not __fish_seen_subcommand_from devices check-config probe grab health doctor help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
