%% What perf/runtime.ts measures of our engine, done in Erlang/OTP with plain processes and ets.
%% Prints one "name value" line per figure. Run by perf/runtime.ts.
-module(engine).
-export([main/1]).

-define(WINDOW, 512).

%% With the argument "threads": the two sides are bound to schedulers of their own, because the emulator
%% would else run both on one when it can, and no message would cross threads.
main(["threads"]) ->
    Echo = spawn_opt(fun() -> echo(0) end, [{scheduler, 2}]),
    Main = self(),
    spawn_opt(fun() ->
        report("ask_threads", best(fun() -> ask_many(Echo, 1000000, [{scheduler, 1}]) end)),
        report("tell_threads", best(fun() -> tell_many(Echo, 1000000) end)),
        Main ! done
    end, [{scheduler, 1}]),
    receive done -> init:stop() end;
main(_) ->
    Echo = spawn(fun() -> echo(0) end),
    report("ask_local", best(fun() -> ask_many(Echo, 1000000, []) end)),
    report("tell_local", best(fun() -> tell_many(Echo, 1000000) end)),
    report("activations", best(fun() -> activations(200000) end)),
    report("bytes_idle", bytes(100000, fun idle/1)),
    report("bytes_active", bytes(100000, fun active/1)),
    init:stop().

report(Name, Value) -> io:format("~s ~w~n", [Name, Value]).

best(Measure) -> lists:max([Measure(), Measure(), Measure()]).

%% CPU time of all threads of the emulator, milliseconds.
cpu() -> element(1, erlang:statistics(runtime)).

per_second(Count, Started) -> round(Count * 1000 / max(1, cpu() - Started)).

echo(Count) ->
    receive
        {ask, From, Ref, Value} -> From ! {Ref, Value}, echo(Count);
        {count, _} -> echo(Count + 1);
        {counted, From, Ref} -> From ! {Ref, Count}, echo(Count)
    end.

%% ?WINDOW processes ask one after the other, each with a deadline as gen_server:call has.
ask_many(Echo, Count, Place) ->
    Started = cpu(),
    Each = Count div ?WINDOW,
    Lane = fun() -> lane(Echo, Each) end,
    Lanes = [spawn_opt(Lane, [monitor | Place]) || _ <- lists:seq(1, ?WINDOW)],
    [receive {'DOWN', Ref, process, Pid, _} -> ok end || {Pid, Ref} <- Lanes],
    per_second(Each * ?WINDOW, Started).

lane(_, 0) -> ok;
lane(Echo, Left) ->
    Ref = make_ref(),
    Echo ! {ask, self(), Ref, Left},
    receive {Ref, _} -> ok after 60000 -> exit(deadline) end,
    lane(Echo, Left - 1).

tell_many(Echo, Count) ->
    Started = cpu(),
    Rounds = Count div ?WINDOW,
    [begin
         [Echo ! {count, I} || I <- lists:seq(1, ?WINDOW)],
         counted(Echo)
     end || _ <- lists:seq(1, Rounds)],
    per_second(Rounds * ?WINDOW, Started).

counted(Echo) ->
    Ref = make_ref(),
    Echo ! {counted, self(), Ref},
    receive {Ref, Count} -> Count after 60000 -> exit(deadline) end.

%% Activation, one turn, passivation: a process is made, reads its row, answers, ends.
activations(Count) ->
    Table = ets:new(rows, [set, public, {read_concurrency, true}]),
    [ets:insert(Table, {I, {0, 5, 1}}) || I <- lists:seq(0, 19999)],
    Started = cpu(),
    Lane = fun(_) ->
        spawn_monitor(fun() ->
            [activate(Table, I rem 20000) || I <- lists:seq(1, Count div 20)]
        end)
    end,
    Lanes = lists:map(Lane, lists:seq(1, 20)),
    [receive {'DOWN', Ref, process, Pid, _} -> ok end || {Pid, Ref} <- Lanes],
    per_second(Count, Started).

activate(Table, Key) ->
    Self = self(),
    Ref = make_ref(),
    spawn(fun() ->
        [{Key, {_, Sequence, _}}] = ets:lookup(Table, Key),
        Self ! {Ref, Sequence + 1}
    end),
    receive {Ref, _} -> ok after 60000 -> exit(deadline) end.

bytes(Count, Fun) ->
    erlang:garbage_collect(),
    Before = erlang:memory(total),
    Pids = [spawn(fun() -> Fun(I) end) || I <- lists:seq(1, Count)],
    timer:sleep(1500),
    erlang:garbage_collect(),
    After = erlang:memory(total),
    [exit(Pid, kill) || Pid <- Pids],
    timer:sleep(500),
    (After - Before) div Count.

%% A hibernated process with its state.
idle(I) -> proc_lib:hibernate(erlang, apply, [fun wait/1, [{I, 5, 1}]]).

wait(State) -> receive stop -> State end.

active(I) -> wait_loop({I, 5, 1}).

wait_loop(State) -> receive stop -> State; _ -> wait_loop(State) end.
